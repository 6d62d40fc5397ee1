import { plant } from './canary';
import type { EngineProcess } from './engine-process';

export const PASSWORD = plant('correct horse battery staple', 'a password');

/** A browser without a screen: keeps cookies, says where it comes from. */
export class Visitor {
  cookies = new Map<string, string>();

  constructor(readonly url: string) {}

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' ? {} : { origin: this.url }),
        ...(this.cookies.size > 0
          ? { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
          : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '' || /max-age=0/i.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    // biome-ignore lint/suspicious/noExplicitAny: what tests look at in many ways
    const parsed: any = isJson && text !== '' ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: parsed };
  }

  async signIn(email: string, password = PASSWORD) {
    return this.send('POST', '/api/auth/sign-in/email', { email, password });
  }
}

/** Uses the link that the process printed: an owner of the local organisation, signed in. */
export async function firstOwner(engine: EngineProcess, email = 'olga@example.com'): Promise<Visitor> {
  const token = /\/setup#(\S+)/.exec(engine.notes.join('\n'))?.[1];
  if (!token) throw new Error(`There is no link in: ${engine.notes.join('\n')}`);
  const visitor = new Visitor(engine.url);
  const body = { token, name: 'Olga Owner', email, password: PASSWORD };
  const { status, body: answer } = await visitor.send('POST', '/api/auth/first-owner', body);
  if (status !== 201) throw new Error(JSON.stringify(answer));
  return visitor;
}

/** Invites somebody and accepts for them: a member with this role, signed in. */
export async function member(owner: Visitor, email: string, role: string): Promise<Visitor> {
  const invited = await owner.send('POST', '/api/v1/invitations', { email, role });
  if (invited.status !== 201) throw new Error(JSON.stringify(invited.body));
  const visitor = new Visitor(owner.url);
  const name = email.split('@')[0];
  const path = `/api/auth/invitations/${invited.body.id}`;
  const accepted = await visitor.send('POST', path, { name, password: PASSWORD });
  if (accepted.status !== 201) throw new Error(JSON.stringify(accepted.body));
  return visitor;
}

/** An API key of whoever is signed in. */
export async function apiKey(visitor: Visitor, body: object = {}): Promise<string> {
  const made = await visitor.send('POST', '/api/v1/api-keys', { name: 'test', ...body });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return plant(made.body.key as string, 'an API key');
}
