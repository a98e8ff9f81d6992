import { interfaceKinds, invalidParameter, type InfoValue, type Node } from '@ironbark/core';
import type { NodeInput } from '@ironbark/engine';
import type { FastifyInstance } from 'fastify';
import type { Identity } from '../auth/authenticator.ts';
import type { ApiContext } from '../context.ts';
import { asBadRequest } from '../errors.ts';
import { toBoolean } from '../inputs/input-field.ts';
import {
  memberPatchFields,
  nodeCreateSchema,
  nodeInputs,
  nodePatchFields,
  servicePatchFields,
  systemFields,
} from '../inputs/node.ts';
import { givenFields, patchRecord, readInput } from '../inputs/write-record.ts';
import { patchSchema, readPatch, type Patch } from '../json-patch.ts';
import { introduced, nodeFieldVersions } from '../microversion-table.ts';
import { notAcceptable, rejectNewer } from '../microversion.ts';
import { checkNodeName, nodeIdent } from '../names.ts';
import { readNode, requireNode, requireOwnNode } from '../ownership.ts';
import { authorize, forbidden } from '../policy.ts';
import { created, noContent, route } from '../route.ts';
import { fieldsQuery } from '../schemas/fields.ts';
import { nodeResponse } from '../schemas/responses.ts';
import { nodeResource, renderNode } from '../views/node.ts';
import { selectFields } from '../views/selection.ts';

export function registerNodes(app: FastifyInstance, { engine }: ApiContext): void {
  async function setMaintenance(node: Node, maintenance: boolean): Promise<Node> {
    if (maintenance === node.maintenance) return node;
    await engine.nodes.setMaintenance(node.uuid, maintenance, null);
    return engine.nodes.get(node.uuid);
  }

  route(
    app,
    {
      method: 'POST',
      url: '/v1/nodes',
      rule: 'baremetal:node:create',
      summary: 'Enroll a node',
      body: nodeCreateSchema,
      responses: { 201: nodeResponse },
    },
    async (request, reply) => {
      const given = request.body as Readonly<Record<string, InfoValue>>;
      const { minor } = request;
      rejectNewer(givenFields(given), nodeFieldVersions, minor, 'field');
      const body = ownedByCreator(request.identity, given);
      if (typeof body['name'] === 'string') checkNodeName(body['name'], minor);
      const maintenance = toBoolean(body['maintenance'] ?? false, 'maintenance', false);
      const enrolled = await asBadRequest(engine.nodes.create(readInput(nodeInputs, body) as NodeInput));
      const node = await setMaintenance(enrolled, maintenance);
      return created(request, reply, `nodes/${node.uuid}`).send(renderNode(node, request));
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident',
      rule: 'baremetal:node:get',
      summary: 'Show a node',
      query: { type: 'object', properties: { fields: fieldsQuery }, additionalProperties: false },
      responses: { 200: nodeResponse },
    },
    async (request) => {
      const { minor, identity } = request;
      const fields = selectFields(nodeResource, request.query.fields, minor);
      const node = await readNode(engine, identity, nodeIdent(request.params.ident, minor));
      return renderNode(node, { base: request.base, minor, identity }, fields);
    },
  );

  route(
    app,
    {
      method: 'PATCH',
      url: '/v1/nodes/:ident',
      rule: 'baremetal:node:update_instance_info',
      summary: 'Change fields of a node',
      query: { type: 'object', properties: { reset_interfaces: { type: 'boolean' } }, additionalProperties: false },
      body: patchSchema,
      responses: { 200: nodeResponse },
    },
    async (request) => {
      const { minor, identity } = request;
      const ident = nodeIdent(request.params.ident, minor);
      const { reset_interfaces: reset } = request.query;
      if (reset !== undefined && minor < introduced.resetInterfaces)
        throw notAcceptable('The query parameter "reset_interfaces"', introduced.resetInterfaces);
      const patch = readPatch(request.body, nodePatchFields);
      authorizePatch(identity, patch);
      rejectNewer(patch.fields, nodeFieldVersions, minor, 'field');
      if (reset === true && !patch.fields.includes('driver'))
        throw invalidParameter("The reset_interfaces parameter can only be used when changing the node's driver.");
      const requireAccess = isWithin(patch, memberPatchFields) ? requireNode : requireOwnNode;
      await requireAccess(engine, identity, ident);
      let maintenance: boolean | undefined;
      const patched = await patchRecord(engine.nodes, ident, patch, nodeInputs, (current, values) => {
        checkValues(current, values, minor);
        if (patch.fields.includes('maintenance'))
          maintenance = toBoolean(values['maintenance'] ?? null, 'maintenance', false);
        return reset === true ? { ...noInterfaces, ...values } : values;
      });
      return renderNode(await setMaintenance(patched, maintenance ?? patched.maintenance), request);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/nodes/:ident',
      rule: 'baremetal:node:delete',
      summary: 'Delete a node',
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireOwnNode(engine, request.identity, ident);
      await engine.nodes.delete(ident);
      return noContent(reply);
    },
  );
}

/** Asks for the defaults of a driver. */
const noInterfaces = Object.fromEntries(interfaceKinds.map((kind) => [`${kind}_interface`, null]));

/** A member changes what describes its use of the machine; everything else is the administrator's. */
function authorizePatch(identity: Identity, patch: Patch): void {
  if (isWithin(patch, memberPatchFields)) return;
  authorize(
    identity,
    isWithin(patch, servicePatchFields) ? 'baremetal:node:update:instance_uuid' : 'baremetal:node:update',
  );
  refuseSystemFields(identity, patch.fields);
}

function isWithin(patch: Patch, fields: readonly string[]): boolean {
  return patch.fields.every((field) => fields.includes(field));
}

/** Who administers a project enrolls machines of the project, of no other. */
function ownedByCreator(
  identity: Identity,
  body: Readonly<Record<string, InfoValue>>,
): Readonly<Record<string, InfoValue>> {
  if (identity.system) return body;
  const { project } = identity;
  refuseSystemFields(identity, givenFields(body['owner'] === project ? { ...body, owner: null } : body));
  return { ...body, owner: project };
}

function refuseSystemFields(identity: Identity, fields: readonly string[]): void {
  const refused = identity.system ? undefined : fields.find((field) => systemFields.includes(field));
  if (refused === undefined) return;
  throw forbidden(`baremetal:node:update:${refused}`, 'It needs a role for the whole system.');
}

function checkValues(node: Node, values: Readonly<Record<string, InfoValue>>, minor: number): void {
  const { name, chassis_uuid: chassis } = values;
  if (typeof name === 'string' && name !== node.name) checkNodeName(name, minor);
  if (chassis === null && node.chassisUuid !== null && minor < introduced.removeChassisUuid)
    throw notAcceptable('Removing "chassis_uuid"', introduced.removeChassisUuid);
}
