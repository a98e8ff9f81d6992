const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const projectId = /^[0-9a-f]{32}$/;

/**
 * Names a call of the Block Storage or the Image API: its method and path with `{id}` for identifiers and without the query, the version and the
 * project; an action by its own name. "GET volumes/{id}", "DELETE volumes/{id}/metadata/{key}", "os-reserve".
 */
export function callName(method: string, path: string, body: string): string {
  const parts = (path.split('?')[0] ?? '').split('/').filter((part) => !['', 'v2', 'v3'].includes(part));
  if (projectId.test(parts[0] ?? '')) parts.shift();
  if (parts.length === 0) return `${method} versions`;
  if (parts.at(-1) === 'action') return Object.keys(JSON.parse(body) as object)[0] ?? '';
  const named = parts.map((part, index) => {
    if (uuid.test(part)) return '{id}';
    return parts[index - 1] === 'metadata' ? '{key}' : part;
  });
  return `${method} ${named.join('/')}`;
}
