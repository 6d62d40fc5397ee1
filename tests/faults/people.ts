import type pg from 'pg';
import type { JsonObject } from '@/lib/shared/json';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { roleUrl } from '@/server/adapters/postgres/roles';
import type { ExecutionStore } from '@/server/ports/execution-store';
import type { PatientClient } from '@/tests/faults/client';
import type { CounterLog } from '@/tests/faults/counter-log';
import type { FaultyPostgres } from '@/tests/faults/database';
import type { FaultLog } from '@/tests/faults/fault-log';
import { REFUSED } from '@/tests/faults/programs';
import type { Random } from '@/tests/simulation/random';

interface OpenQuestion {
  run_id: string;
  organization_id: string;
  shard: number;
  data: { approvalId: string; quorum: number };
}

interface Parked {
  run_id: string;
  organization_id: string;
  shard: number;
  activity: string;
  times: number;
}

const QUESTIONS = `
SELECT r.run_id, r.organization_id, r.shard, e.data FROM workflow_run r
JOIN workflow_event e ON e.run_id = r.run_id AND e.type = 'APPROVAL_REQUESTED'
WHERE r.closed_at IS NULL AND NOT EXISTS (
  SELECT FROM workflow_event c WHERE c.run_id = r.run_id AND c.type = 'APPROVAL_CLOSED'
    AND c.data->>'approvalId' = e.data->>'approvalId')`;

const PARKED = `
SELECT r.run_id, r.organization_id, r.shard, e.data->>'activityId' AS activity,
  count(*) FILTER (WHERE e.type = 'ACTIVITY_TASK_OUTCOME_UNKNOWN')::int AS times
FROM workflow_run r JOIN workflow_event e ON e.run_id = r.run_id
  AND e.type IN ('ACTIVITY_TASK_OUTCOME_UNKNOWN', 'OUTCOME_RESOLVED', 'ACTIVITY_TASK_COMPLETED', 'ACTIVITY_TASK_CANCELED')
WHERE r.closed_at IS NULL
GROUP BY r.run_id, r.organization_id, r.shard, activity
HAVING max(e.at) < clock_timestamp() - interval '1500 milliseconds' AND count(*) FILTER (WHERE e.type = 'ACTIVITY_TASK_OUTCOME_UNKNOWN') > count(*) FILTER (WHERE e.type <> 'ACTIVITY_TASK_OUTCOME_UNKNOWN')`;

/** The people of the harness: they approve, with nervous double clicks, and say what became of calls nobody knows about. */
export class People {
  private readonly pool: pg.Pool;
  private readonly store: ExecutionStore;
  private readonly answered = new Set<string>();
  /** Decisions that were acknowledged. */
  decisions = 0;
  /** Unknown outcomes that were resolved. */
  resolved = 0;

  constructor(
    private readonly postgres: FaultyPostgres,
    private readonly client: PatientClient,
    private readonly random: Random,
    private readonly faults: FaultLog,
  ) {
    this.pool = createPool(roleUrl(postgres.url, 'oc_engine'), 4, 'faults-people');
    this.store = createExecutionStore(this.pool);
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  /**
   * Answers every open question, each person clicking once or twice. Errors of a broken database mean: next time.
   * The first person decides at the door; that of a machine without sign-in knows one person only, so the second
   * one's decision is put where the door puts them.
   */
  async decide(): Promise<void> {
    const open = await this.postgres.query<OpenQuestion>(QUESTIONS);
    await Promise.allSettled(open.map((question) => this.answer(question)));
  }

  private async answer({ run_id, organization_id, shard, data }: OpenQuestion): Promise<void> {
    const { approvalId, quorum } = data;
    for (let person = 0; person < quorum; person++) {
      const by = `person-${person}`;
      const clicks = 1 + this.random.below(2);
      for (let click = 0; click < clicks; click++) {
        // Two clicks are two requests, with a key each; a repeated request has the same key.
        const key = `decide:${run_id}:${approvalId}:${by}:${click}`;
        if (this.answered.has(key)) continue;
        if (person === 0) {
          if (!(await this.atTheDoor(run_id, approvalId, key))) continue;
        } else {
          const fact = { approvalId, decision: 'approve', by };
          await this.send(run_id, organization_id, shard, 'APPROVAL_DECIDED', fact, key);
        }
        this.answered.add(key);
        if (click > 0) this.faults.count('double approval clicks');
        this.decisions += 1;
      }
    }
  }

  /** True when the door answered for certain: taken, or refused because the question is settled. */
  private async atTheDoor(runId: string, approvalId: string, key: string): Promise<boolean> {
    const verb = approvalId === REFUSED ? 'reject' : 'approve';
    const answer = await this.client.once('POST', `/api/v1/runs/${runId}/${verb}`, { approvalId }, key);
    return answer !== null && answer.status < 500 && answer.status !== 429;
  }

  /** What a person does about a parked call: looks at the other system, then says what is true there. */
  async resolve(log: CounterLog): Promise<number> {
    const parked = await this.postgres.query<Parked>(PARKED);
    log.read();
    await Promise.allSettled(
      parked.map(async ({ run_id, organization_id, shard, activity, times }) => {
        const key = `${run_id}:${activity}`;
        const done = log.of(key).find((line) => line.what === 'done');
        const value = done?.input.value as string | undefined;
        const fact: JsonObject =
          value === undefined
            ? { activityId: activity, resolution: 'retry', by: 'person-0' }
            : {
                activityId: activity,
                resolution: 'completed',
                output: { structuredContent: { value, key } },
                by: 'person-0',
              };
        await this.send(run_id, organization_id, shard, 'OUTCOME_RESOLVED', fact, `resolve:${key}:${times}`);
        this.resolved += 1;
      }),
    );
    return parked.length;
  }

  private async send(
    runId: string,
    organizationId: string,
    shard: number,
    eventType: string,
    data: JsonObject,
    key: string,
  ): Promise<void> {
    await this.store.accept({
      organizationId,
      runId,
      shard,
      newRun: null,
      eventType,
      data,
      idempotency: { key, requestHash: key },
      audit: { actorKind: 'user', actorId: 'person', action: 'run.decide', object: runId, details: {} },
    });
  }
}
