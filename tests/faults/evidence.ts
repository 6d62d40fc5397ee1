import type { JsonObject } from '@/lib/shared/json';
import type { CounterLine, CounterLog } from '@/tests/faults/counter-log';
import type { FaultyPostgres } from '@/tests/faults/database';

export interface EvidenceEvent {
  seq: number;
  type: string;
  data: JsonObject;
  /** When the event was made, and when it was committed (epoch ms). */
  at: number;
  committed: number;
}

export interface EvidenceRun {
  runId: string;
  workflow: string;
  workflowId: string;
  status: string;
  closed: boolean;
  historyLength: number;
  /** Why it failed, or was given up. */
  failure: string | null;
  parentRunId: string | null;
  parentNodePath: string | null;
  /** When its row was made (epoch ms). */
  created: number;
  events: EvidenceEvent[];
}

/** One entry of a stream: numbers `seq` … `seq + count − 1` are these events. */
export interface StreamRow {
  seq: number;
  count: number;
  refs: [string, number, number][];
}

/** What database and counting server say about the runs of a round. */
export interface Evidence {
  runs: Map<string, EvidenceRun>;
  /** Last stream number that was checked before; null when there is none. */
  streamBefore: number | null;
  stream: StreamRow[];
  inboxLeft: number;
  outboxLeft: number;
  lines: (key: string) => readonly CounterLine[];
  keys: string[];
}

/**
 * Reads everything that happened since the round began. The moment of a commit is Postgres' own record of it.
 *
 * @param since database time at which the round began
 * @param afterStream last stream number that was checked before
 */
export async function collect(
  postgres: FaultyPostgres,
  counter: CounterLog,
  since: Date,
  afterStream: number | null,
): Promise<Evidence> {
  await relayIdle(postgres);
  const rows = await postgres.query<Omit<EvidenceRun, 'events'>>(
    `SELECT run_id AS "runId", workflow, workflow_id AS "workflowId", status, closed_at IS NOT NULL AS closed,
       history_length AS "historyLength", failure ->> 'message' AS failure, parent_run_id AS "parentRunId", parent_node_path AS "parentNodePath",
       (extract(epoch FROM created_at) * 1000)::float8 AS created
     FROM workflow_run WHERE created_at >= $1`,
    [since],
  );
  const runs = new Map<string, EvidenceRun>(rows.map((row) => [row.runId, { ...row, events: [] }]));
  const events = await postgres.query<EvidenceEvent & { runId: string }>(
    `SELECT run_id AS "runId", seq, type, data, (extract(epoch FROM at) * 1000)::float8 AS at,
       (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS committed
     FROM workflow_event WHERE run_id = ANY($1::uuid[]) ORDER BY run_id, seq`,
    [[...runs.keys()]],
  );
  for (const { runId, ...event } of events) runs.get(runId)?.events.push(event);
  const stream = await postgres.query<StreamRow>(
    `SELECT seq, event_count AS count, refs FROM stream_entry WHERE topic = 'runs' AND seq > $1 ORDER BY seq`,
    [afterStream ?? 0],
  );
  const [left] = await postgres.query<{ inbox: number; outbox: number }>(
    'SELECT (SELECT count(*) FROM workflow_inbox) AS inbox, (SELECT count(*) FROM event_outbox) AS outbox',
  );
  counter.read();
  return {
    runs,
    streamBefore: afterStream,
    stream,
    inboxLeft: left?.inbox ?? -1,
    outboxLeft: left?.outbox ?? -1,
    lines: (key) => counter.of(key),
    keys: [...counter.keys()],
  };
}

/** Waits until inbox and outbox are empty; what is left after ten seconds is a finding. */
async function relayIdle(postgres: FaultyPostgres): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const [row] = await postgres.query<{ n: number }>(
      'SELECT (SELECT count(*) FROM workflow_inbox) + (SELECT count(*) FROM event_outbox) AS n',
    );
    if (row?.n === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
