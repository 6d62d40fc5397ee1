import { compileMaskRules, Masker, type MaskRules } from '@/lib/engine/mask';
import { collectFromEvent, maskEvent, maskFailureOf } from '@/lib/engine/mask-events';
import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import { requirePermission } from '@/lib/protocol/permissions';
import type { Failure } from '@/lib/protocol/run';
import type { ActivityProgress } from '@/server/ports/activity';
import type { AuditLog } from '@/server/ports/audit-log';
import type { MaskedRun, MaskSource } from '@/server/ports/mask-source';
import type { Offered } from '@/server/ports/webhook-out-store';

/** Runs and definitions that are remembered; those that nobody asked for longest are forgotten first. */
const MAX_RUNS = 50_000;
const MAX_DEFINITIONS = 5_000;
const MAX_VALUES = 2_000;
/** Paths of a definition grow when it is published anew after a tool's schema changed. */
const FRESH_MS = 30_000;
/** Runs that a run came from, whose sensitive values it may have been given. */
const MAX_ANCESTORS = 16;
const PAGE = 1_000;
const FAILURE_OF = /\/failure\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export interface RunMasksDeps {
  source: MaskSource;
  audit: AuditLog;
  now: () => number;
  /** Places and keys that are sensitive in every run of the organisation. */
  everywhere: (organizationId: string) => Promise<readonly string[]>;
}

/** Sensitive values of a run, read up to an event. */
interface Values {
  upTo: number;
  values: Set<string>;
  rules: MaskRules;
  /** Made of so many values; made anew when there are more. */
  masker?: { of: Masker; size: number };
  reading: Promise<void>;
}

/**
 * Masks of runs. Histories keep what is true, because replay must agree; whatever leaves them to be seen goes through here.
 * Runs without anything sensitive cost a look into a map: what a definition marks is known by its hash, and which hash a run
 * has never changes.
 */
export class RunMasks {
  private readonly runs = new Map<string, MaskedRun>();
  private readonly definitions = new Map<string, { paths: readonly string[]; readAt: number }>();
  private readonly compiled = new Map<string, MaskRules | null>();
  private readonly known = new Map<string, Values>();

  constructor(private readonly deps: RunMasksDeps) {}

  /** What to show a run through; null when nothing of it is sensitive. */
  async of(organizationId: string, runId: string): Promise<Masker | null> {
    return (await this.ofAll(organizationId, [runId])).get(runId) ?? null;
  }

  /** The same for somebody who may ask to see everything: that needs `payloads:reveal` and is written down each time. */
  async for(actor: Actor, runId: string, reveal: boolean, what: string): Promise<Masker | null> {
    if (!reveal) return this.of(actor.organizationId, runId);
    requirePermission(actor, 'payloads:reveal');
    await this.deps.audit.record(actor, 'run.reveal', runId, { what });
    return null;
  }

  /** Masks of many runs at once; without those of which nothing is sensitive. */
  async ofAll(organizationId: string, runIds: readonly string[]): Promise<Map<string, Masker>> {
    const found = new Map<string, Masker>();
    const everywhere = await this.deps.everywhere(organizationId);
    const families = await this.families(organizationId, runIds);
    const hashes = [...new Set([...families.values()].flat().map((run) => run.definitionHash))];
    const paths = await this.pathsOf(organizationId, hashes);
    for (const [runId, family] of families) {
      let own: MaskRules | null = null;
      const entries: Values[] = [];
      for (const run of family) {
        const rules = this.rules([...(paths.get(run.definitionHash) ?? []), ...everywhere]);
        if (rules === null) continue;
        if (run.runId === runId) own = rules;
        entries.push(await this.valuesOf(organizationId, run.runId, rules));
      }
      const [first] = entries;
      if (first === undefined) continue;
      if (entries.length === 1 && own === first.rules) found.set(runId, maskerOf(first));
      else found.set(runId, new Masker(own, new Set(entries.flatMap(({ values }) => [...values]))));
    }
    return found;
  }

  /** Events of one run as they may be shown. */
  async events(
    organizationId: string,
    runId: string,
    events: readonly WorkflowEventRecord[],
  ): Promise<WorkflowEventRecord[]> {
    const masker = events.length === 0 ? null : await this.of(organizationId, runId);
    return masker === null ? [...events] : events.map((event) => maskEvent(masker, event));
  }

  /** Events that subscribers may be told of, as they may be shown. */
  async offered(offered: readonly Offered[]): Promise<Offered[]> {
    const [first] = offered;
    if (first === undefined) return [];
    // A round is of one organisation.
    const { organizationId } = first.event;
    const masks = await this.ofAll(organizationId, [...new Set(offered.map(({ event }) => event.runId))]);
    return offered.map((one) => {
      const masker = masks.get(one.event.runId);
      const { event } = one;
      if (masker === undefined || event.data === null) return one;
      const { type, data } = event;
      return { ...one, event: { ...event, data: maskEvent(masker, { type, data }).data } };
    });
  }

  /** What servers say of calls under way, told on with sensitive values replaced; not at all when they cannot be known. */
  progress(tell: (facts: ActivityProgress) => void): (facts: ActivityProgress) => void {
    return (facts) => {
      const { organizationId, runId, message } = facts;
      if (message === undefined) tell(facts);
      else
        this.of(organizationId, runId).then(
          (masker) => tell(masker === null ? facts : { ...facts, message: masker.text(message) }),
          () => undefined,
        );
    };
  }

  /** Rows of runs with their failures as they may be shown. */
  async rows<T extends { runId: string; failure: Failure | null }>(
    organizationId: string,
    rows: readonly T[],
  ): Promise<T[]> {
    const failed = rows.flatMap((row) => (row.failure === null ? [] : [row.runId]));
    if (failed.length === 0) return [...rows];
    const masks = await this.ofAll(organizationId, failed);
    return rows.map((row) => {
      const masker = masks.get(row.runId);
      return masker === undefined ? row : { ...row, failure: maskFailureOf(masker, row.failure) };
    });
  }

  /** Each run with those that it came from: parents, earlier runs of the chain, the run whose failure started it. */
  private async families(organizationId: string, runIds: readonly string[]) {
    const families = new Map<string, MaskedRun[]>();
    let wanted = [...new Set(runIds)];
    const next = new Map<string, string[]>(wanted.map((runId) => [runId, [runId]]));
    for (let depth = 0; depth <= MAX_ANCESTORS && wanted.length > 0; depth++) {
      const rows = await this.rowsOf(organizationId, wanted);
      const further = new Set<string>();
      for (const [runId, looked] of next) {
        const family = families.get(runId) ?? [];
        families.set(runId, family);
        const before: string[] = [];
        for (const id of looked) {
          const row = rows.get(id);
          if (row === undefined || family.includes(row)) continue;
          family.push(row);
          before.push(...ancestorsOf(row));
        }
        next.set(runId, before);
        for (const id of before) further.add(id);
      }
      wanted = [...further];
    }
    return families;
  }

  private async rowsOf(organizationId: string, runIds: readonly string[]): Promise<Map<string, MaskedRun>> {
    const key = (runId: string) => `${organizationId} ${runId}`;
    const missing = runIds.filter((runId) => !this.runs.has(key(runId)));
    if (missing.length > 0)
      for (const row of await this.deps.source.runs(organizationId, missing))
        keep(this.runs, key(row.runId), row, MAX_RUNS);
    return new Map(
      runIds.flatMap((runId) => {
        const row = this.runs.get(key(runId));
        return row === undefined ? [] : [[runId, row] as const];
      }),
    );
  }

  private async pathsOf(organizationId: string, hashes: readonly string[]) {
    const key = (hash: string) => `${organizationId} ${hash}`;
    const now = this.deps.now();
    const stale = hashes.filter((hash) => now - (this.definitions.get(key(hash))?.readAt ?? 0) > FRESH_MS);
    if (stale.length > 0) {
      const read = await this.deps.source.paths(organizationId, stale);
      for (const hash of stale)
        keep(this.definitions, key(hash), { paths: read.get(hash) ?? [], readAt: now }, MAX_DEFINITIONS);
    }
    return new Map(hashes.map((hash) => [hash, this.definitions.get(key(hash))?.paths ?? []]));
  }

  private rules(paths: readonly string[]): MaskRules | null {
    if (paths.length === 0) return null;
    const key = paths.join('\n');
    let rules = this.compiled.get(key);
    if (rules === undefined) {
      rules = compileMaskRules(paths);
      keep(this.compiled, key, rules, MAX_DEFINITIONS);
    }
    return rules;
  }

  /** The sensitive values of a run as far as its history goes now; what was read before is not read again. */
  private async valuesOf(organizationId: string, runId: string, rules: MaskRules): Promise<Values> {
    const key = `${organizationId} ${runId}`;
    let entry = this.known.get(key);
    if (entry === undefined || entry.rules !== rules)
      entry = { upTo: 0, values: new Set(), rules, reading: Promise.resolve() };
    keep(this.known, key, entry, MAX_VALUES);
    const mine = entry;
    // One reading after the other: each begins where the one before ended, and none misses what was committed before it was asked.
    mine.reading = mine.reading.catch(() => undefined).then(() => this.readOn(organizationId, runId, mine));
    await mine.reading;
    return mine;
  }

  private async readOn(organizationId: string, runId: string, entry: Values): Promise<void> {
    for (;;) {
      const events = await this.deps.source.events(organizationId, runId, entry.upTo, PAGE);
      for (const event of events) collectFromEvent(entry.rules, event, entry.values);
      entry.upTo = events.at(-1)?.seq ?? entry.upTo;
      if (events.length < PAGE) return;
    }
  }
}

function maskerOf(entry: Values): Masker {
  const { masker, values, rules } = entry;
  if (masker?.size === values.size) return masker.of;
  entry.masker = { of: new Masker(rules, new Set(values)), size: values.size };
  return entry.masker.of;
}

function ancestorsOf({ parentRunId, previousRunId, workflowId }: MaskedRun): string[] {
  const failed = FAILURE_OF.exec(workflowId)?.[1];
  return [parentRunId, previousRunId, failed].filter((id) => id !== null && id !== undefined);
}

function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as string);
}
