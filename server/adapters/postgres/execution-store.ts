import type pg from 'pg';
import { AppError, idempotencyConflict } from '@/lib/protocol/errors';
import { GroupCommit } from '@/lib/shared/group-commit';
import * as sql from '@/server/adapters/postgres/execution-sql';
import { adoptPayloads, handedIn } from '@/server/adapters/postgres/payload-store';
import { isRefusal, LARGE, limited, type Statements } from '@/server/adapters/postgres/pool';
import type {
  AcceptRequest,
  AcceptResult,
  AuditFacts,
  CommitPart,
  ExecutionStore,
  HandedContent,
  InboxLimits,
  InboxRow,
  NewRun,
  OpenRun,
  StoredEvent,
} from '@/server/ports/execution-store';

/** Requests of one organisation that are accepted in one statement while others are active. */
const SHARED_REQUESTS = 8;
/** A flood of requests rests for this many times as long as accepting some of them took, while others are active. */
const REST_FACTOR = 5;

/**
 * The engine's tables over `pg` (hot path: prepared statements, one round trip a batch).
 *
 * @param connections as oc_engine
 * @param limitMs how long an answer is waited for, when not the usual time
 */
export function createExecutionStore(connections: pg.Pool, limitMs?: number): ExecutionStore {
  const pool = limited(connections, limitMs);
  const accepts = new GroupCommit<Asked, AcceptResult>((batch) => acceptBatch(pool, batch), {
    maxBatch: 200,
    sharedBatch: SHARED_REQUESTS,
    ownerOf: ({ request }) => request.organizationId,
    now: () => performance.now(),
    rest: (ms) => new Promise((resolve) => setTimeout(resolve, REST_FACTOR * ms)),
  });

  // One content at a time, in turns by organisation: copies must not take the connections that commits need.
  const copies = new GroupCommit<HandedContent, undefined>(
    async (contents) => {
      await adoptPayloads(pool, contents);
      return contents.map(() => undefined);
    },
    {
      maxBatch: 1,
      sharedBatch: 1,
      ownerOf: ({ organizationId }) => organizationId,
      now: () => performance.now(),
    },
  );
  const adopt = async (contents: readonly HandedContent[]) => {
    await Promise.all(contents.map((content) => copies.submit(content)));
  };

  const readRows = async (
    statement: { name: string; text: string },
    shards: readonly number[],
    inHand: readonly number[],
    { each, rows: most, bytes }: InboxLimits,
  ) => {
    const values = [shards, inHand, each, most, bytes];
    return (await pool.query<InboxRow>({ ...statement, values })).rows;
  };

  return {
    async accept(request) {
      const text = JSON.stringify(request.data);
      const contents = handedIn(request.organizationId, request.runId, text);
      // Before it joins the others: a large copy is for this request alone to wait for.
      if (contents.length > 0) {
        await adopt(contents).catch((error: unknown) => {
          throw refusalOf(error, request);
        });
      }
      return accepts.submit({ request, text });
    },
    adopt: (contents) =>
      adopt(contents).catch((error: unknown) => {
        throw isRefusal(error) ? error : unavailable(error);
      }),
    commit: (owner, parts) => commit(pool, owner, parts),

    async historyLengths(runIds) {
      const { rows } = await pool.query<{ run_id: string; n: number }>(sql.HISTORY_LENGTHS, [runIds]);
      return new Map(rows.map((row) => [row.run_id, row.n]));
    },

    async ownLengths(owner, parts) {
      const { rows } = await pool.query<{ run_id: string; n: number }>(sql.OWN_LENGTHS, [
        owner,
        parts.map((part) => part.runId),
        parts.map((part) => part.shard),
        parts.map((part) => part.epoch),
      ]);
      return new Map(rows.map((row) => [row.run_id, row.n]));
    },

    readInbox: (shards, inHand, limits) =>
      readRows({ name: 'oc_inbox', text: sql.READ_INBOX }, shards, inHand, limits),

    readCommands: (shards, inHand, limits) =>
      readRows({ name: 'oc_inbox_commands', text: sql.READ_COMMANDS }, shards, inHand, limits),

    async dueRuns(shards, window, limit) {
      const { after, afterRunId, until } = window;
      const { rows } = await pool.query<OpenRun>(sql.DUE_RUNS, [shards, after, afterRunId, until, limit]);
      return rows;
    },

    async successor(runId, by) {
      const { rows } = await pool.query<{ runId: string }>(sql.SUCCESSOR, [runId, by]);
      return rows[0]?.runId ?? null;
    },

    async openRun(runId) {
      const { rows } = await pool.query<OpenRun>({
        name: 'oc_open_run',
        text: sql.OPEN_RUN,
        values: [runId],
      });
      return rows[0] ?? null;
    },

    async historySizes(runIds) {
      const { rows } = await pool.query<{ run_id: string; n: number }>({
        text: sql.HISTORY_SIZES,
        values: [runIds],
        ...LARGE,
      });
      return new Map(rows.map((row) => [row.run_id, row.n]));
    },

    async readHistories(runIds) {
      const { rows } = await pool.query<StoredEvent>({
        text: sql.READ_HISTORIES,
        values: [runIds],
        ...LARGE,
      });
      return rows;
    },

    async countRecoveries(runIds, most) {
      const { rows } = await pool.query<{ run_id: string; n: number }>(sql.COUNT_RECOVERIES, [runIds, most]);
      return new Map(rows.map((row) => [row.run_id, row.n]));
    },

    async uncountRecoveries(runIds) {
      await pool.query(sql.UNCOUNT_RECOVERIES, [runIds]);
    },

    async clearRecoveries(runIds) {
      await pool.query(sql.CLEAR_RECOVERIES, [runIds]);
    },
  };
}

async function commit(
  pool: Statements,
  owner: string,
  parts: readonly CommitPart[],
): Promise<ReadonlySet<number>> {
  const epochs = new Map<number, number>();
  const events: unknown[] = [];
  const updates: unknown[] = [];
  const runs: unknown[] = [];
  const adds: unknown[] = [];
  const done: unknown[] = [];
  const handed: HandedContent[] = [];
  for (const part of parts) {
    if ((epochs.get(part.shard) ?? part.epoch) !== part.epoch) {
      throw new AppError('INTERNAL', `A batch names two epochs of shard ${part.shard}.`);
    }
    epochs.set(part.shard, part.epoch);
    for (const event of part.events) {
      events.push({
        h: part.shard,
        r: part.runId,
        o: part.organizationId,
        s: event.seq,
        t: event.type,
        a: event.at,
        d: JSON.stringify(event.data),
        c: event.causationSeq,
        k: part.correlationId,
      });
    }
    if (part.update) {
      const { status, closedAt, historyLength, failure, wakeAt } = part.update;
      updates.push({
        h: part.shard,
        r: part.runId,
        s: status,
        c: closedAt,
        n: historyLength,
        f: failure && JSON.stringify(failure),
        w: wakeAt,
      });
    }
    for (const run of part.newRuns) {
      const columns = runColumns(run);
      runs.push({
        h: part.shard,
        y: run.once === true,
        ...columns,
        ...(run.audit && auditColumns(run.audit)),
      });
      handed.push(...handedIn(run.organizationId, run.runId, columns.d));
    }
    for (const row of part.inboxAdds) {
      const text = JSON.stringify(row.data);
      handed.push(...handedIn(row.organizationId, row.runId, text));
      adds.push({
        h: part.shard,
        s: row.shard,
        o: row.organizationId,
        r: row.runId,
        t: row.eventType,
        d: text,
      });
    }
    for (const id of part.inboxDone) done.push({ h: part.shard, i: id });
  }
  const statement = sql.commitStatement({
    events: events.length > 0,
    updates: updates.length > 0,
    newRuns: runs.length > 0,
    inboxAdds: adds.length > 0,
    inboxDone: done.length > 0,
  });
  const rowsOfKinds = [events, updates, runs, adds, done].filter((rows) => rows.length > 0);
  const values = [
    owner,
    [...epochs.keys()],
    [...epochs.values()],
    ...rowsOfKinds.map((rows) => JSON.stringify(rows)),
  ];
  try {
    // Nearly always there already, see `adopt`.
    await adoptPayloads(pool, handed);
    const { rows } = await pool.query<{ held: number[] | null }>({
      ...statement,
      values,
    });
    return new Set(rows[0]?.held ?? []);
  } catch (error) {
    throw isRefusal(error) ? error : unavailable(error);
  }
}

function runColumns(run: NewRun) {
  return {
    r: run.runId,
    o: run.organizationId,
    w: run.workflowId,
    n: run.workflow,
    v: run.version,
    f: run.definitionHash,
    s: run.shard,
    b: run.startedBy,
    p: run.parentRunId,
    q: run.parentNodePath,
    l: run.previousRunId,
    d: JSON.stringify(run.started),
  };
}

function auditColumns({ actorKind, actorId, action, object, details }: AuditFacts) {
  return { ak: actorKind, ai: actorId, aa: action, ao: object, ad: JSON.stringify(details) };
}

/** A request, with its data as JSON. */
interface Asked {
  request: AcceptRequest;
  text: string;
}

async function acceptBatch(pool: Statements, batch: Asked[]): Promise<(AcceptResult | Error)[]> {
  // Two requests with one idempotency key, or one workflow id, must not meet in one statement: the second would
  // see nothing of the first. Such batches, and batches that Postgres refuses, go one by one.
  if (batch.length > 1 && !clash(batch)) {
    try {
      return await acceptTogether(pool, batch);
    } catch (error) {
      if (!isRefusal(error)) throw unavailable(error);
    }
  }
  const results: (AcceptResult | Error)[] = [];
  for (const asked of batch) {
    try {
      results.push((await acceptTogether(pool, [asked]))[0] as AcceptResult | Error);
    } catch (error) {
      results.push(refusalOf(error, asked.request));
    }
  }
  return results;
}

function clash(batch: Asked[]): boolean {
  const seen = new Set<string>();
  for (const { organizationId, idempotency, newRun } of batch.map(({ request }) => request)) {
    for (const key of [
      idempotency && `k ${organizationId} ${idempotency.key}`,
      newRun && `w ${organizationId} ${newRun.workflowId}`,
    ]) {
      if (!key) continue;
      if (seen.has(key)) return true;
      seen.add(key);
    }
  }
  return false;
}

async function acceptTogether(pool: Statements, batch: Asked[]): Promise<(AcceptResult | Error)[]> {
  const requests = batch.map(({ request, text }, n) => ({
    n,
    o: request.organizationId,
    r: request.runId,
    s: request.shard,
    t: request.eventType,
    d: text,
    k: request.idempotency?.key ?? null,
    q: request.idempotency?.requestHash ?? null,
    x: request.newRun !== null,
    ...auditColumns(request.audit),
  }));
  const runs = batch.flatMap(({ request }, n) =>
    request.newRun ? [{ z: n, ...runColumns(request.newRun) }] : [],
  );
  const { rows } = await pool.query<{
    n: number;
    id: number | null;
    seen_run: string | null;
    seen_hash: string | null;
    run_open: boolean | null;
  }>({ name: 'oc_accept', text: sql.ACCEPT, values: [JSON.stringify(requests), JSON.stringify(runs)] });
  const byIndex = new Map(rows.map((row) => [row.n, row]));
  return Promise.all(
    batch.map(async ({ request }, n): Promise<AcceptResult | Error> => {
      const row = byIndex.get(n);
      if (row?.id != null) {
        const { organizationId, runId, shard, eventType, data } = request;
        return { runId, row: { id: row.id, organizationId, runId, shard, eventType, data } };
      }
      if (request.idempotency) {
        const seen = await pool.query<{ run_id: string; request_hash: string }>(sql.SEEN_KEY, [
          request.organizationId,
          request.idempotency.key,
        ]);
        const first = seen.rows[0];
        if (first && first.request_hash !== request.idempotency.requestHash) {
          return idempotencyConflict();
        }
        if (first) return { runId: first.run_id, row: null };
      }
      return row?.run_open === false
        ? new AppError('RUN_CLOSED', `Run ${request.runId} has closed.`)
        : new AppError('RUN_NOT_FOUND', `There is no run ${request.runId}.`);
    }),
  );
}

function refusalOf(error: unknown, request: AcceptRequest): Error {
  const { code, constraint } = error as { code?: string; constraint?: string };
  if (code === '23505' && constraint === 'workflow_run_open_workflow_id') {
    return new AppError(
      'WORKFLOW_ID_IN_USE',
      `A run with workflow id "${request.newRun?.workflowId}" is open.`,
      {
        path: '/workflowId',
      },
    );
  }
  return isRefusal(error) ? (error as Error) : unavailable(error);
}

function unavailable(error: unknown): AppError {
  return new AppError('DATABASE_UNAVAILABLE', 'The database did not confirm the write.', { cause: error });
}
