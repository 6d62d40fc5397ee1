import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '@/lib/api-client/client';
import { followEvents } from '@/lib/api-client/follow';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { openStream } from '../support/sse-client';

const quick = {
  schemaVersion: 1,
  name: 'quick',
  nodes: [{ id: 'a', kind: 'transform', output: { x: 1 } }],
  edges: [],
};

describe('catching up from a number that retention has dropped', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let engine: EngineProcess;
  let head = 0;
  const path = '/api/v1/events';
  const bounds = async () => {
    const { rows } = await sql.query<{ seq: number; next: number }>(
      'SELECT seq::int, (seq + event_count)::int AS next FROM stream_entry ORDER BY seq',
    );
    return rows;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
    await engine.request('POST', '/api/v1/workflows', quick);
    // One after another, so that each run has entries of its own.
    for (let i = 0; i < 12; i++) {
      await engine.request('POST', '/api/v1/runs', { workflow: 'quick' });
      const told = head;
      await eventually('it is told', async () => {
        const { rows } = await sql.query<{ n: number }>(
          `SELECT last_seq::int AS n FROM stream_head WHERE topic = 'runs'`,
        );
        head = rows[0]?.n ?? 0;
        return head > told;
      });
    }
    await eventually('all are told', async () => {
      const { rows } = await sql.query('SELECT 1 FROM event_outbox');
      return rows.length === 0;
    });
    head = (await bounds()).at(-1)?.next as number;
    head -= 1;
  });
  afterAll(async () => {
    await engine.end();
    await engine.removeData();
    await sql.end();
    await database.drop();
  });

  it('says 410 with the number to go on behind; in a stream a reset, once, and then what follows', async () => {
    const entries = await bounds();
    expect(entries.length).toBeGreaterThan(6);
    // A week in the middle is gone, an older one is kept.
    const [from, to] = [entries[2]?.seq as number, entries[5]?.seq as number];
    await sql.query('DELETE FROM stream_entry WHERE seq >= $1 AND seq < $2', [from, to]);

    const fine = await engine.request('GET', `${path}?after=${to - 1}&limit=5`);
    expect(fine.body.items[0].streamSeq).toBe(to);
    for (const after of [from - 1, from, to - 2]) {
      const gone = await engine.request('GET', `${path}?after=${after}&limit=1`);
      expect([gone.status, gone.body.code, gone.body.problems[0].resumeAfter]).toEqual([
        410,
        'STREAM_TRIMMED',
        to - 1,
      ]);
    }
    const start = await engine.request('GET', `${path}?limit=2`);
    expect(start.body.items[0].streamSeq).toBe(1);

    const ends = new AbortController();
    const { messages } = await openStream(`${engine.url}${path}?follow=true&after=${from}`, {}, ends.signal);
    const seen: { id: string | null; event: string | null; data: string }[] = [];
    for await (const message of messages()) {
      seen.push(message);
      if (message.id === String(head)) break;
    }
    ends.abort();
    expect(seen[0]).toMatchObject({ id: String(to - 1), event: 'reset' });
    expect(JSON.parse(seen[0]?.data ?? '')).toEqual({ after: from, resumeAfter: to - 1 });
    expect(seen.slice(1).map(({ id }) => Number(id))).toEqual(
      Array.from({ length: head - to + 1 }, (_none, i) => to + i),
    );
    expect(seen.filter(({ event }) => event === 'reset')).toHaveLength(1);
  });

  it('a page across a hole ends before it, and the next answer tells of it, with no event passed over unsaid', async () => {
    const kept = (await bounds()).flatMap(({ seq, next }) =>
      Array.from({ length: next - seq }, (_none, i) => seq + i),
    );
    const at = kept.findIndex((seq, i) => seq !== i + 1);
    const [last, to] = [kept[at - 1] as number, kept[at] as number];
    const page = await engine.request('GET', `${path}?after=1&limit=1000`);
    expect(page.body.items.map(({ streamSeq }: { streamSeq: number }) => streamSeq)).toEqual(
      kept.slice(1, at),
    );
    expect(page.body.nextCursor).toBe(String(last));
    const began = Date.now();
    const gone = await engine.request('GET', `${path}?after=${last}&limit=1&waitMs=30000`);
    expect([gone.status, gone.body.problems[0].resumeAfter]).toEqual([410, to - 1]);
    expect(Date.now() - began).toBeLessThan(15_000);

    const seen: (number | string)[] = [];
    const client = createApiClient({ baseUrl: engine.url });
    const onReset = (hole: { after: number; resumeAfter: number }) => seen.push(JSON.stringify(hole));
    for await (const { streamSeq } of followEvents(client, { after: 1, onReset })) {
      seen.push(streamSeq);
      if (streamSeq === head) break;
    }
    const hole = JSON.stringify({ after: last, resumeAfter: to - 1 });
    expect(seen).toEqual([...kept.slice(1, at), hole, ...kept.slice(at)]);
  });

  it('when everything behind the number is gone, the end is where to go on; the end itself is no hole', async () => {
    await sql.query('DELETE FROM stream_entry');
    const gone = await engine.request('GET', `${path}?after=1`);
    expect([gone.status, gone.body.problems[0].resumeAfter]).toEqual([410, head]);
    const end = await engine.request('GET', `${path}?after=${head}`);
    expect([end.status, end.body.items]).toEqual([200, []]);
  });
});
