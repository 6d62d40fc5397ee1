import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect } from 'vitest';
import type { EngineProcess } from '../../support/engine-process';
import { eventually } from '../../support/eventually';
import type { Answer, World } from './case';

type SentAnswer = Answer & { isStream: boolean };

/** Sends a request and reads the answer; of a stream only the beginning. */
export async function send(
  url: string,
  request: { method: string; path: string; headers: Record<string, string>; body: string | undefined },
): Promise<SentAnswer> {
  const killer = new AbortController();
  const { method, path, headers, body } = request;
  const response = await fetch(url + path, {
    method,
    headers,
    signal: killer.signal,
    ...(body === undefined ? {} : { body }),
  });
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) {
    killer.abort();
    return { status: response.status, headers: response.headers, body: null, isStream: true };
  }
  const text = await response.text();
  const parsed: unknown = /[/+]json\b/.test(type) ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body: parsed, isStream: false };
}

/** What cases work on: a process, asked with `always` among the headers of every request. */
export function worldOf(engine: EngineProcess, authUrl: string, always: Record<string, string> = {}): World {
  const ask: World['ask'] = (method, path, body, headers = {}) =>
    send(engine.url, {
      method,
      path,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...always,
        ...headers,
      },
      body:
        body === undefined || typeof body === 'string' ? (body as string | undefined) : JSON.stringify(body),
    });
  const run = async (runId: string) =>
    (await ask('GET', `/api/v1/runs/${runId}`)).body as {
      status: string;
      nodes: { path: string; status: string }[];
    };
  return {
    engine,
    ask,
    async newMember() {
      const client = new pg.Client(authUrl);
      await client.connect();
      const id = randomUUID();
      await client.query('INSERT INTO app_user (id, name, email) VALUES ($1, $2, $3)', [
        id,
        'Mia',
        `${id}@example.com`,
      ]);
      await client.query(
        `INSERT INTO member (id, organization_id, user_id, role)
         SELECT gen_random_uuid(), o.id, $1, 'viewer' FROM organization o WHERE o.slug = 'local'`,
        [id],
      );
      await client.end();
      return id;
    },
    start: async (workflow, body = {}) => {
      const answer = await ask('POST', '/api/v1/runs', { workflow, ...body });
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      return (answer.body as { runId: string }).runId;
    },
    until: async (runId, status) => {
      const is = async () => (await run(runId)).status === status;
      await eventually(`${runId} is ${status}`, is);
    },
    untilNode: async (runId, path, status) => {
      const is = async () =>
        (await run(runId)).nodes.some((node) => node.path === path && node.status === status);
      await eventually(`${path} is ${status}`, is);
    },
  };
}
