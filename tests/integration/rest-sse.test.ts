import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { openStream, type SseMessage } from '../support/sse-client';

/** A run that goes on for some seconds, writes an event every few milliseconds, and ends once it is told to go. */
const BUSY = {
  schemaVersion: 1,
  name: 'busy',
  nodes: [
    {
      id: 'each',
      kind: 'loop',
      mode: 'for-each',
      items: '${input.items}',
      body: { nodes: [{ id: 'pause', kind: 'wait', duration: '5ms' }] },
      output: '${index}',
    },
    { id: 'gate', kind: 'wait', signal: 'go' },
  ],
  edges: [{ from: 'each', to: 'gate' }],
  output: { done: true },
};

const KILLS = 100;

/** Numbers that look random but are the same in every test run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('server-sent events', () => {
  let database: TestDatabase;
  let engine: EngineProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
    expect((await engine.request('POST', '/api/v1/workflows', BUSY)).status).toBe(201);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  const start = async (items: number): Promise<string> => {
    const input = { items: Array.from({ length: items }, (_, i) => i) };
    const { status, body } = await engine.request('POST', '/api/v1/runs', { workflow: 'busy', input });
    expect(status).toBe(201);
    return body.runId;
  };
  /** Lets a run end when its loop is through. */
  const go = async (runId: string) => {
    const { status } = await engine.request('POST', `/api/v1/runs/${runId}/signal`, { name: 'go' });
    expect(status).toBe(202);
  };

  /**
   * Follows `path`, and kills the connection KILLS times: at once, in the middle of a message, or after some messages. Goes on
   * behind the last number seen, and returns everything that was told. The runs may end only after the last kill.
   */
  const followKilled = async (
    path: string,
    seed: number,
    runs: readonly string[],
    isLast: (message: SseMessage) => boolean,
  ) => {
    const random = numbers(seed);
    const told: SseMessage[] = [];
    let kills = 0;
    for (let finished = false; !finished; ) {
      const killer = new AbortController();
      const isDoomed = kills < KILLS;
      const after = told.findLast((message) => message.id !== null)?.id ?? '0';
      const timer = isDoomed ? setTimeout(() => killer.abort(), random() * 60) : undefined;
      let messagesLeft = isDoomed ? Math.floor(random() * 40) : Number.POSITIVE_INFINITY;
      try {
        const headers = { 'last-event-id': after };
        const { response, messages } = await openStream(engine.url + path, headers, killer.signal);
        expect(response.status).toBe(200);
        for await (const message of messages()) {
          expect(message.event === 'problem' ? message.data : '').toBe('');
          told.push(message);
          if (isLast(message)) {
            finished = true;
            break;
          }
          if (--messagesLeft < 0) killer.abort();
        }
      } catch (error) {
        if (!killer.signal.aborted) throw error;
      } finally {
        clearTimeout(timer);
        if (killer.signal.aborted) kills += 1;
        killer.abort();
      }
      if (isDoomed && kills === KILLS) await Promise.all(runs.map(go));
    }
    return { told, kills };
  };

  it('a run: killed 100 times at random, nothing is lost and nothing comes twice', async () => {
    const runId = await start(700);
    const { told, kills } = await followKilled(
      `/api/v1/runs/${runId}/events?follow`,
      1,
      [runId],
      (message) => message.event === 'end',
    );
    expect(kills).toBe(KILLS);
    const events = told
      .slice(0, -1)
      .map((message) => JSON.parse(message.data) as { seq: number; type: string });
    const { body: run } = await engine.request('GET', `/api/v1/runs/${runId}`);
    expect(events.map((event) => event.seq)).toEqual(
      Array.from({ length: run.historyLength }, (_, i) => i + 1),
    );
    expect(told.slice(0, -1).map((message) => Number(message.id))).toEqual(events.map((event) => event.seq));
    expect(run.historyLength).toBeGreaterThan(1_000);
    expect(JSON.parse(told.at(-1)?.data ?? '')).toEqual({ runId, status: 'completed' });

    const { body: history } = await engine.request('GET', `/api/v1/runs/${runId}/history`);
    expect(events).toEqual(history.events);

    const again = await engine.request('GET', `/api/v1/runs/${runId}/events?follow`, undefined, {
      'last-event-id': String(run.historyLength),
    });
    expect(again.status).toBe(204);
  });

  it('the organisation: killed 100 times at random, nothing is lost and nothing comes twice', async () => {
    const { body: before } = await engine.request('GET', '/api/v1/events?after=0&limit=1000');
    expect(before.items[0].streamSeq).toBe(1);
    const runs = await Promise.all([start(250), start(250), start(250)]);
    const open = new Set(runs);
    const { told, kills } = await followKilled('/api/v1/events?follow', 2, runs, (message) => {
      const { event } = JSON.parse(message.data) as { event: { runId: string; type: string } };
      if (event.type === 'WORKFLOW_EXECUTION_COMPLETED') open.delete(event.runId);
      return open.size === 0;
    });
    expect(kills).toBe(KILLS);
    const numbersTold = told.map((message) => Number(message.id));
    expect(numbersTold).toEqual(Array.from({ length: told.length }, (_, i) => i + 1));
    for (const runId of runs) {
      const mine = told
        .map((message) => (JSON.parse(message.data) as { event: { runId: string; seq: number } }).event)
        .filter((event) => event.runId === runId);
      expect(mine.map((event) => event.seq)).toEqual(mine.map((_event, i) => i + 1));
      expect(mine.length).toBeGreaterThan(500);
    }
  });

  it('begins with what happens next when no number is given', async () => {
    const { body: page } = await engine.request('GET', '/api/v1/events?after=0&limit=1000');
    const killer = new AbortController();
    const { response, messages } = await openStream(`${engine.url}/api/v1/events?follow`, {}, killer.signal);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const runId = await start(1);
    await go(runId);
    for await (const message of messages()) {
      const { event, streamSeq } = JSON.parse(message.data) as {
        event: { runId: string };
        streamSeq: number;
      };
      expect(event.runId).toBe(runId);
      expect(streamSeq).toBeGreaterThan(page.items.at(-1).streamSeq);
      break;
    }
    killer.abort();
  });

  it('refuses what it cannot follow before a stream begins', async () => {
    const unknown = await engine.request(
      'GET',
      '/api/v1/runs/01999999-0000-7000-8000-000000000000/events?follow',
    );
    expect(unknown.body).toMatchObject({ status: 404, code: 'RUN_NOT_FOUND' });
    const beyond = await engine.request('GET', '/api/v1/events?follow&after=99999999');
    expect(beyond.body).toMatchObject({ status: 400, code: 'INVALID_INPUT', path: '/after' });
  });

  it('ends streams when the process stops, and a new process goes on', async () => {
    const runId = await start(400);
    await go(runId);
    const { messages } = await openStream(
      `${engine.url}/api/v1/runs/${runId}/events?follow`,
      {},
      new AbortController().signal,
    );
    const seen: number[] = [];
    for await (const message of messages()) {
      expect(message.event === 'problem' ? message.data : '').toBe('');
      if (message.event === null) seen.push(Number(message.id));
      if (seen.length === 3) engine.signal('SIGTERM');
    }
    const { dataDir } = engine;
    await engine.end('SIGTERM');
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {}, dataDir });
    const rest = await openStream(
      `${engine.url}/api/v1/runs/${runId}/events?follow`,
      { 'last-event-id': String(seen.at(-1)) },
      new AbortController().signal,
    );
    for await (const message of rest.messages()) if (message.event === null) seen.push(Number(message.id));
    const run = await eventually('the run is complete', async () => {
      const { body } = await engine.request('GET', `/api/v1/runs/${runId}`);
      return body.status === 'completed' ? body : null;
    });
    expect(seen).toEqual(Array.from({ length: run.historyLength }, (_, i) => i + 1));
  });
});
