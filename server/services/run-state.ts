import type { Program } from '@/lib/engine/compile';
import { replay } from '@/lib/engine/step';
import type { EngineEvent, RunState } from '@/lib/engine/types';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunRow } from '@/server/ports/run-queries';
import type { RunService } from '@/server/services/run-service';

const PAGE = 1_000;

/** A run read from its history. `state` is null while its start has not been taken up yet. */
export interface ReadRun {
  row: RunRow;
  program: Program;
  events: WorkflowEventRecord[];
  state: RunState | null;
}

export interface RunReaderDeps {
  runs: RunService;
  /** The compiled definition that a run started with. */
  program: (organizationId: string, hash: string) => Promise<Program>;
}

/** Reads whole runs: the same fold that the engine itself uses. Cost grows with the length of the history. */
export class RunReader {
  constructor(private readonly deps: RunReaderDeps) {}

  /** Throws RUN_NOT_FOUND, HISTORY_UNREADABLE. */
  async read(actor: Actor, runId: string): Promise<ReadRun> {
    return this.readRow(actor, await this.deps.runs.get(actor, runId));
  }

  /** The same for a row that was just read. */
  async readRow(actor: Actor, row: RunRow): Promise<ReadRun> {
    const program = await this.deps.program(row.organizationId, row.definitionHash);
    const events = await this.history(actor, row);
    return { row, program, events, state: events.length === 0 ? null : folded(program, events) };
  }

  /** Every event of the run, in order. */
  async history(actor: Actor, { runId }: RunRow): Promise<WorkflowEventRecord[]> {
    const events: WorkflowEventRecord[] = [];
    for (;;) {
      const page = await this.deps.runs.events(actor, runId, events.at(-1)?.seq ?? 0, PAGE);
      events.push(...page);
      if (page.length < PAGE) return events;
    }
  }
}

/** Throws HISTORY_UNREADABLE: the history is damaged, or of a newer version. */
function folded(program: Program, events: readonly WorkflowEventRecord[]): RunState {
  try {
    return replay(program, events.map(toEngineEvent));
  } catch (error) {
    const message = `The history of this run cannot be read by this version: ${(error as Error).message}`;
    throw new AppError('HISTORY_UNREADABLE', message, { cause: error });
  }
}

/** A stored event as the engine's fold takes it. */
export function toEngineEvent({ type, at, data }: WorkflowEventRecord): EngineEvent {
  return { type, at: Date.parse(at), data } as unknown as EngineEvent;
}
