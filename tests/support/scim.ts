import type { Visitor } from './people';

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

/** A directory as Okta or Entra ID would be: speaks SCIM 2.0 with a token of one organisation. */
export class Directory {
  constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: what tests look at in many ways
    const parsed: any = text === '' ? null : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: parsed };
  }

  create(email: string, more: object = {}) {
    const [givenName] = email.split('@');
    return this.send('POST', '/Users', {
      schemas: [USER],
      userName: email,
      name: { givenName, familyName: 'Example' },
      emails: [{ value: email, type: 'work', primary: true }],
      active: true,
      ...more,
    });
  }

  patch(path: string, ...operations: object[]) {
    return this.send('PATCH', path, { schemas: [PATCH_OP], Operations: operations });
  }
}

/** A directory that is connected to the organisation in which somebody works. */
export async function connect(visitor: Visitor, name = 'Okta'): Promise<Directory> {
  const made = await visitor.send('POST', '/api/v1/scim-tokens', { name });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return new Directory(made.body.url, made.body.token);
}
