import { durationMs } from '@/lib/engine/duration';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import {
  MAX_CATCHUP_MS,
  MIN_INTERVAL_MS,
  type OccurrenceBody,
  type OverlapPolicy,
  type ScheduleDetail,
  type ScheduleSpec,
  type ScheduleSummary,
  type ScheduleTiming,
} from '@/lib/protocol/schedule';
import type { AuditLog } from '@/server/ports/audit-log';
import type {
  Occurrence,
  Schedule,
  ScheduleEdit,
  ScheduleStore,
  Timing,
} from '@/server/ports/schedule-store';
import type { AccessService } from '@/server/services/access-service';
import { InputChecker } from '@/server/services/input-check';
import { checkTiming, checkZone, nextTime, nextTimes } from '@/server/services/schedule-times';
import type { WorkflowService } from '@/server/services/workflow-service';

/** Channel of the bus on which a changed schedule is told, as a hint to look. */
export const SCHEDULES_CHANNEL = 'schedules';

const DAY_MS = 86_400_000;
const RECENT = 20;
/** Most times of one backfill. */
const MOST_BACKFILLED = 1_000;

export interface ScheduleServiceDeps {
  store: ScheduleStore;
  workflows: Pick<WorkflowService, 'get'>;
  access: Pick<AccessService, 'refuseRestricted'>;
  audit: AuditLog;
  newId: () => string;
  maxPayloadBytes: number;
  /** Tells schedulers in reach that there may be something to do. */
  changed: () => void;
}

/** Use cases around schedules. */
export class ScheduleService {
  private readonly inputs = new InputChecker();

  constructor(private readonly deps: ScheduleServiceDeps) {}

  async list(actor: Actor): Promise<ScheduleSummary[]> {
    requirePermission(actor, 'schedules:read');
    return (await this.deps.store.list(actor.organizationId)).map(toSummary);
  }

  /** Throws SCHEDULE_NOT_FOUND. */
  async detail(actor: Actor, name: string): Promise<ScheduleDetail> {
    requirePermission(actor, 'schedules:read');
    const schedule = await this.find(actor, name);
    const recent = await this.deps.store.occurrences(actor.organizationId, schedule.scheduleId, RECENT);
    return { ...toSummary(schedule), input: schedule.input, recent: recent.map(toBody) };
  }

  /** Throws SCHEDULE_EXISTS, WORKFLOW_NOT_FOUND, INVALID_INPUT, INVALID_WORKFLOW_INPUT, PAYLOAD_TOO_LARGE. */
  async create(actor: Actor, name: string, spec: ScheduleSpec): Promise<ScheduleSummary> {
    requirePermission(actor, 'schedules:write');
    const now = await this.deps.store.now();
    const facts = await this.check(actor, name, spec, now);
    const schedule: Schedule = {
      ...facts,
      paused: spec.paused ?? false,
      note: spec.note ?? null,
      scheduleId: this.deps.newId(),
      organizationId: actor.organizationId,
      nextAt: nextTime(facts, now),
      createdBy: actor.id,
      createdAt: now,
      updatedAt: now,
    };
    if (!(await this.deps.store.create(schedule))) {
      throw new AppError('SCHEDULE_EXISTS', `There is a schedule "${name}" already.`, { path: '/name' });
    }
    await this.told(actor, 'schedule.create', name);
    return toSummary(schedule);
  }

  /**
   * Replaces what the schedule says; times are counted anew from now. Whether it is paused, and its note, stay as they are
   * when they are left out: they may have changed since the caller read them. Throws as `create`, and SCHEDULE_NOT_FOUND.
   */
  async replace(actor: Actor, name: string, spec: ScheduleSpec): Promise<ScheduleSummary> {
    requirePermission(actor, 'schedules:write');
    const { scheduleId } = await this.findToChange(actor, name);
    const facts = await this.check(actor, name, spec, await this.deps.store.now());
    await this.deps.store.update(actor.organizationId, scheduleId, facts, nextTime);
    await this.told(actor, 'schedule.update', name);
    return toSummary(await this.find(actor, name));
  }

  /** Runs that it started go on. Throws SCHEDULE_NOT_FOUND. */
  async remove(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'schedules:write');
    const { scheduleId } = await this.findToChange(actor, name);
    await this.deps.store.remove(actor.organizationId, scheduleId);
    await this.told(actor, 'schedule.delete', name);
  }

  /**
   * Pauses or resumes. Times that come while it is paused are let pass for good; where nothing changes, none is.
   * Throws SCHEDULE_NOT_FOUND.
   */
  async pause(
    actor: Actor,
    name: string,
    paused: boolean,
    note: string | undefined,
  ): Promise<ScheduleSummary> {
    requirePermission(actor, 'schedules:write');
    const { scheduleId } = await this.findToChange(actor, name);
    await this.deps.store.pause(actor.organizationId, scheduleId, paused, note, nextTime);
    await this.told(actor, paused ? 'schedule.pause' : 'schedule.resume', name);
    return toSummary(await this.find(actor, name));
  }

  /** Runs it once, now, paused or not. The same key again asks for nothing new. Throws SCHEDULE_NOT_FOUND. */
  async trigger(
    actor: Actor,
    name: string,
    overlap: OverlapPolicy | undefined,
    requestKey: string | null,
  ): Promise<string[]> {
    requirePermission(actor, 'schedules:write');
    const { scheduleId } = await this.findToChange(actor, name);
    const { store } = this.deps;
    let taken: number[] = [];
    // Another time may hold this very millisecond.
    for (
      let nominalAt = await store.now(), tries = 0;
      taken.length === 0 && tries < 10;
      nominalAt++, tries++
    ) {
      const asked = { nominalAt, kind: 'trigger', overlap: overlap ?? null, requestKey } as const;
      taken = (await store.ask(actor.organizationId, scheduleId, [asked])) ?? notFound(name);
    }
    await this.told(actor, 'schedule.trigger', name);
    return taken.map(iso);
  }

  /**
   * Starts the times of a span that has passed and that were not started then. Gives the times that were taken.
   * Throws SCHEDULE_NOT_FOUND, INVALID_INPUT.
   */
  async backfill(
    actor: Actor,
    name: string,
    span: { from: string; to: string; overlap?: OverlapPolicy | undefined },
  ): Promise<string[]> {
    requirePermission(actor, 'schedules:write');
    const schedule = await this.findToChange(actor, name);
    const [from, to] = [Date.parse(span.from), Date.parse(span.to)];
    if (to < from) throw new AppError('INVALID_INPUT', 'The end lies before the beginning.', { path: '/to' });
    if (to > (await this.deps.store.now())) {
      throw new AppError('INVALID_INPUT', 'Only times that have passed can be filled in.', { path: '/to' });
    }
    const times = nextTimes(schedule, from - 1, MOST_BACKFILLED + 1).filter((time) => time <= to);
    if (times.length > MOST_BACKFILLED) {
      throw new AppError('INVALID_INPUT', `The span holds more than ${MOST_BACKFILLED} times.`, {
        path: '/to',
      });
    }
    const overlap = span.overlap ?? null;
    const asked = times.map(
      (nominalAt) => ({ nominalAt, kind: 'backfill', overlap, requestKey: null }) as const,
    );
    const { scheduleId } = schedule;
    const taken = (await this.deps.store.ask(actor.organizationId, scheduleId, asked)) ?? notFound(name);
    await this.told(actor, 'schedule.backfill', name, { from: span.from, to: span.to, times: taken.length });
    return taken.map(iso);
  }

  /** The next times of a schedule. Throws SCHEDULE_NOT_FOUND. */
  async times(actor: Actor, name: string, count: number, after: string | undefined): Promise<string[]> {
    requirePermission(actor, 'schedules:read');
    const schedule = await this.find(actor, name);
    return nextTimes(schedule, await this.after(after), count).map(iso);
  }

  /** The times that a schedule would have. Throws INVALID_INPUT. */
  async preview(
    actor: Actor,
    spec: ScheduleTiming,
    count: number,
    after: string | undefined,
  ): Promise<string[]> {
    requirePermission(actor, 'schedules:read');
    return nextTimes(toTiming(spec), await this.after(after), count).map(iso);
  }

  private async after(given: string | undefined): Promise<number> {
    return given === undefined ? this.deps.store.now() : Date.parse(given);
  }

  private async find(actor: Actor, name: string): Promise<Schedule> {
    return (await this.deps.store.get(actor.organizationId, name)) ?? notFound(name);
  }

  /** The schedule, for a change. Throws as `find`, and FORBIDDEN when its workflow is restricted and the actor may not start it. */
  private async findToChange(actor: Actor, name: string): Promise<Schedule> {
    const schedule = await this.find(actor, name);
    await this.mayStart(actor, schedule.workflow);
    return schedule;
  }

  private async mayStart(actor: Actor, workflow: string): Promise<void> {
    await this.deps.access.refuseRestricted(actor, 'workflows:execute', { kind: 'workflow', id: workflow });
  }

  private async check(actor: Actor, name: string, spec: ScheduleSpec, now: number): Promise<ScheduleEdit> {
    const timing = toTiming(spec);
    checkTiming(timing, now);
    const definition = await this.deps.workflows.get(actor, spec.workflow, spec.version);
    await this.mayStart(actor, spec.workflow);
    const bytes = Buffer.byteLength(JSON.stringify(spec.input));
    if (bytes > this.deps.maxPayloadBytes) {
      const message = `${bytes} bytes; the limit is ${this.deps.maxPayloadBytes}.`;
      throw new AppError('PAYLOAD_TOO_LARGE', message, { path: '/input' });
    }
    // A later version may want another input: then the times say why they failed.
    this.inputs.check(definition, spec.input);
    return {
      ...timing,
      name,
      workflow: spec.workflow,
      version: spec.version ?? null,
      input: spec.input,
      jitterMs: within(durationMs(spec.jitter), 0, DAY_MS, '/jitter'),
      overlap: spec.overlap,
      catchupWindowMs: within(durationMs(spec.catchupWindow), 0, MAX_CATCHUP_MS, '/catchupWindow'),
      paused: spec.paused,
      note: spec.note,
      priority: spec.priority ?? null,
    };
  }

  private async told(actor: Actor, action: string, name: string, details = {}): Promise<void> {
    await this.deps.audit.record(actor, action, name, details);
    this.deps.changed();
  }
}

/** Throws INVALID_INPUT unless exactly one of `cron` and `every` is given. */
function toTiming({ cron, every, timeZone, offset }: ScheduleTiming): Timing {
  if ((cron === undefined) === (every === undefined)) {
    throw new AppError('INVALID_INPUT', 'Give either `cron` or `every`.', { path: '/cron' });
  }
  checkZone(timeZone);
  const everyMs =
    every === undefined ? null : within(durationMs(every), MIN_INTERVAL_MS, MAX_CATCHUP_MS, '/every');
  const offsetMs = within(durationMs(offset), 0, everyMs === null ? 0 : everyMs - 1, '/offset');
  return { cron: cron?.trim() ?? null, timeZone, everyMs, offsetMs };
}

function within(ms: number, min: number, max: number, path: string): number {
  if (ms >= min && ms <= max) return ms;
  throw new AppError('INVALID_INPUT', `${path.slice(1)} takes ${min} to ${max} ms here, not ${ms}.`, {
    path,
  });
}

function notFound(name: string): never {
  throw new AppError('SCHEDULE_NOT_FOUND', `There is no schedule "${name.slice(0, 200)}".`, {
    path: '/name',
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function toSummary(schedule: Schedule): ScheduleSummary {
  const { name, workflow, version, cron, timeZone, everyMs, offsetMs, jitterMs, overlap } = schedule;
  const { catchupWindowMs, paused, note, priority, nextAt, createdAt, updatedAt } = schedule;
  return {
    name,
    workflow,
    version,
    cron,
    timeZone,
    everyMs,
    offsetMs,
    jitterMs,
    overlap,
    catchupWindowMs,
    paused,
    note,
    priority,
    nextAt: nextAt === null || paused ? null : iso(nextAt),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  };
}

function toBody({ nominalAt, dueAt, kind, state, runId, reason, settledAt }: Occurrence): OccurrenceBody {
  return {
    nominalAt: iso(nominalAt),
    dueAt: iso(dueAt),
    kind,
    state,
    runId,
    reason,
    settledAt: settledAt === null ? null : iso(settledAt),
  };
}
