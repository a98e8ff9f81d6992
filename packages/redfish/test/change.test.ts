import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { createClient, soon } from './support/fake-bmc.ts';

const thing = '/redfish/v1/Thing';
const monitor = '/redfish/v1/TaskService/TaskMonitors/7';
const anonymous = { credentials: null };

function conditions(service: FakeService): readonly unknown[] {
  return service.requests.filter(({ method }) => method === 'PATCH').map(({ headers }) => headers['if-match']);
}

async function change(service: FakeService): Promise<void> {
  await using client = createClient(service, anonymous);
  await client.patch(await client.get(thing, soon()), { Name: 'new' }, soon());
}

describe('a change of a resource', () => {
  it.each([
    ['in the header', { headers: { etag: '"1"' }, json: {} }],
    ['in the resource', { json: { '@odata.etag': '"1"' } }],
  ] satisfies readonly (readonly [string, Answer])[])(
    'is made on the condition of the entity tag %s',
    async (_title, answer) => {
      await using service = await FakeService.start({
        [`GET ${thing}`]: () => answer,
        [`PATCH ${thing}`]: () => ({ status: 204 }),
      });
      await change(service);
      expect(conditions(service)).toEqual(['"1"']);
    },
  );

  it('has no condition when the resource has no entity tag', async () => {
    await using service = await FakeService.start({
      [`GET ${thing}`]: () => ({ json: {} }),
      [`PATCH ${thing}`]: () => ({ status: 204 }),
    });
    await change(service);
    expect(conditions(service)).toEqual([undefined]);
  });

  it('is made on a resource that somebody else has changed meanwhile', async () => {
    await using service = await FakeService.start({
      [`GET ${thing}`]: (_request, nth) => ({ headers: { etag: `"${nth}"` }, json: {} }),
      [`PATCH ${thing}`]: ({ headers }) => ({ status: headers['if-match'] === '"2"' ? 204 : 412 }),
    });
    await change(service);
    expect(conditions(service)).toEqual(['"1"', '"2"']);
  });

  it('is made on a service that takes only the strong form of its weak tag', async () => {
    await using service = await FakeService.start({
      [`GET ${thing}`]: () => ({ headers: { etag: 'W/"1"' }, json: {} }),
      [`PATCH ${thing}`]: ({ headers }) => ({ status: headers['if-match'] === '"1"' ? 204 : 412 }),
    });
    await change(service);
    expect(conditions(service).at(-1)).toBe('"1"');
  });

  it('is made on a service that asks for a condition without giving a tag', async () => {
    await using service = await FakeService.start({
      [`GET ${thing}`]: () => ({ json: {} }),
      [`PATCH ${thing}`]: ({ headers }) => ({ status: headers['if-match'] === '*' ? 204 : 428 }),
    });
    await change(service);
    expect(conditions(service)).toEqual([undefined, '*']);
  });

  it('is made again when its answer was lost, though the entity tag has changed with it', async () => {
    let version = 1;
    await using service = await FakeService.start({
      [`GET ${thing}`]: () => ({ headers: { etag: `"${version}"` }, json: {} }),
      [`PATCH ${thing}`]: ({ headers }, nth) => {
        if (headers['if-match'] !== `"${version}"`) return { status: 412 };
        version += 1;
        return nth === 1 ? { fault: 'reset' } : { status: 204 };
      },
    });
    await change(service);
    expect(conditions(service)).toEqual(['"1"', '"1"', '"2"']);
  });

  it('fails when no condition is good enough', async () => {
    await using service = await FakeService.start({
      [`GET ${thing}`]: () => ({ headers: { etag: 'W/"1"' }, json: {} }),
      [`PATCH ${thing}`]: () => ({ status: 412 }),
    });
    await expect(change(service)).rejects.toMatchObject({ code: 'BMC_FAILURE', details: { status: 412 } });
    expect(conditions(service)).toEqual(['W/"1"', 'W/"1"', '"1"', undefined]);
  });
});

describe('a task', () => {
  /** An action that is accepted with the first answer, and the answers of its monitor. */
  async function run(accepted: Answer, ...answers: readonly Answer[]): Promise<FakeService> {
    return runFor(3000, accepted, ...answers);
  }

  async function runFor(taskTimeoutMs: number, accepted: Answer, ...answers: readonly Answer[]): Promise<FakeService> {
    const look: Handler = (_request, nth) => answers[nth - 1] ?? answers.at(-1) ?? {};
    const service = await FakeService.start({
      [`POST ${thing}`]: () => ({ status: 202, ...accepted }),
      [`GET ${monitor}`]: look,
    });
    await using disposable = service;
    await using client = createClient(disposable, anonymous, { patience: { taskTimeoutMs } });
    await client.post(thing, {}, soon());
    return service;
  }

  const location = { headers: { location: monitor } };

  it.each([
    ['answers 204', { status: 204 }],
    ['answers 200 with the result', { status: 200, json: { Id: 'result' } }],
    ['shows a completed task', { status: 200, json: { TaskState: 'Completed', TaskStatus: 'OK' } }],
    ['has forgotten the task', { status: 404 }],
  ])('is waited for until its monitor %s', async (_title, end) => {
    const service = await run(location, { status: 202 }, { status: 202, json: { TaskState: 'Running' } }, end);
    expect(service.count('GET', monitor)).toBe(3);
  });

  it('is waited for while its resource says that it runs', async () => {
    const running = { status: 200, json: { TaskState: 'Running' } };
    const service = await run(location, running, { status: 200, json: { TaskState: 'Completed' } });
    expect(service.count('GET', monitor)).toBe(2);
  });

  it('is found by the Task resource in the answer when there is no Location', async () => {
    const service = await run({ json: { '@odata.id': monitor, TaskState: 'New' } }, { status: 204 });
    expect(service.count('GET', monitor)).toBe(1);
  });

  it('fails with its messages', async () => {
    const json = { TaskState: 'Exception', Messages: [{ MessageId: 'Base.1.0.X', Message: 'The disk is locked.' }] };
    const message = expect.stringContaining('ended as Exception: The disk is locked.');
    await expect(run(location, { json })).rejects.toMatchObject({ code: 'BMC_FAILURE', message });
  });

  it('fails with the error that its monitor answers', async () => {
    const answer = { status: 500, json: { error: { message: 'It broke.' } } };
    await expect(run(location, answer)).rejects.toMatchObject({ message: expect.stringContaining('It broke.') });
  });

  it('fails when it takes too long', async () => {
    const message = expect.stringContaining('is not done after 0.06 s');
    await expect(runFor(60, location, { status: 202 })).rejects.toMatchObject({ code: 'BMC_FAILURE', message });
  });

  it('that has no monitor is not waited for', async () => {
    const service = await run({ json: {} });
    expect(service.requests).toHaveLength(1);
  });
});
