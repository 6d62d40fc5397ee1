import { setTimeout as sleep } from 'node:timers/promises';
import { followEvents } from '@/lib/api-client/follow';
import type { top } from '@/lib/commands/rows/top';
import type { ArgsOf } from '@/lib/commands/types';
import type { RunStatus } from '@/lib/protocol/run';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { ESC, type Screen } from '@/server/cli/screen';
import { paintLine } from '@/server/cli/spans';
import type { Column } from '@/server/cli/table';
import { frameOf, type TopFrame, type TopSample, type TopServer, type TopSort } from '@/server/cli/top-frame';
import { topLines } from '@/server/cli/top-view';

const INTERVAL_MS = 1_000;
/** Runs of one state that are counted; more are shown as `200+`. */
const COUNTED = 200;
const FAILURES = 5;
const COUNTED_STATES = ['running', 'paused', 'compensating', 'failed', 'timed_out', 'dead_letter'] as const;
const SORT_KEYS: Record<string, TopSort> = { c: 'calls', l: 'latency', e: 'errors', n: 'name' };

/** Columns of a frame as CSV: one line a server. */
const COLUMNS: readonly Column<TopServer & { at: string }>[] = [
  { title: 'AT', value: (row) => row.at },
  { title: 'SERVER', value: (row) => row.name },
  { title: 'STATUS', value: (row) => row.status },
  { title: 'BREAKER', value: (row) => row.breaker },
  { title: 'CALLS', value: (row) => row.calls },
  { title: 'ERRORS', value: (row) => row.errors },
  { title: 'CALLS_PER_SECOND', value: (row) => row.callsPerSecond },
  { title: 'ERROR_RATE', value: (row) => row.errorRate },
  { title: 'P50_MS', value: (row) => row.p50Ms },
  { title: 'P95_MS', value: (row) => row.p95Ms },
];

/** `top` */
export async function showTop(args: ArgsOf<typeof top>, context: CliContext): Promise<number> {
  const { output } = context;
  const screen = output.forPeople && !args.once ? context.screen : undefined;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.interrupt, stop.signal]);
  const source = new TopSource(context, signal);
  try {
    const before = await source.sample();
    if (screen !== undefined) return await live(screen, source, before, args, context, stop);
    const endless = args.frames ?? 1;
    let last = before;
    for (let n = 0; n < endless; n++) {
      await pause(args.interval ?? INTERVAL_MS, signal);
      if (signal.aborted) return EXIT.interrupted;
      const now = await source.sample();
      const frame = frameOf(now, last, args.sort ?? 'calls');
      last = now;
      await print(frame, args.sort ?? 'calls', context);
    }
    return EXIT.ok;
  } finally {
    stop.abort();
  }
}

async function print(frame: TopFrame, sort: TopSort, { output, baseUrl }: CliContext): Promise<void> {
  if (output.forPeople) {
    for (const line of topLines(frame, await baseUrl(), sort, 0))
      output.line(paintLine(line, output.paint, 0));
  } else if (output.format === 'csv') {
    for (const server of frame.servers) await output.streamed({ ...server, at: frame.at }, COLUMNS);
  } else await output.streamed(frame, []);
}

/** The full screen: drawn anew at every interval, key and change of size. */
async function live(
  screen: Screen,
  source: TopSource,
  first: TopSample,
  args: ArgsOf<typeof top>,
  context: CliContext,
  stop: AbortController,
): Promise<number> {
  const url = await context.baseUrl();
  let sort: TopSort = args.sort ?? 'calls';
  let [before, now]: [TopSample | undefined, TopSample] = [undefined, first];
  let left = args.frames ?? Number.POSITIVE_INFINITY;
  let trouble: string | undefined;
  const draw = () => {
    const { columns, rows } = screen.size();
    const lines = topLines(frameOf(now, before, sort), url, sort, rows - 1);
    if (trouble !== undefined) lines[lines.length - 1] = [['danger', trouble]];
    const painted = lines.map(
      (line) => `${paintLine(line, context.output.paint, columns)}${ESC.endOfLine}\r\n`,
    );
    screen.write(`${ESC.home}${painted.join('')}${ESC.below}`);
  };
  screen.write(ESC.enter);
  const stopKeys = screen.onKey((key) => {
    if (key === 'q' || key === '\u0003' || key === '\u0004') stop.abort();
    const wanted = SORT_KEYS[key];
    if (wanted !== undefined) {
      sort = wanted;
      draw();
    }
  });
  const stopResize = screen.onResize(draw);
  try {
    for (;;) {
      draw();
      if (--left <= 0) return EXIT.ok;
      await pause(args.interval ?? INTERVAL_MS, AbortSignal.any([context.interrupt, stop.signal]));
      if (stop.signal.aborted) return EXIT.ok;
      if (context.interrupt.aborted) return EXIT.interrupted;
      try {
        const next = await source.sample();
        [before, now, trouble] = [now, next, undefined];
      } catch (error) {
        if (stop.signal.aborted || context.interrupt.aborted) continue;
        trouble = error instanceof Error ? error.message : String(error);
      }
    }
  } finally {
    stopKeys();
    stopResize();
    screen.write(ESC.leave);
  }
}

/** Reads what frames are made of: by polling, and what happens in between from the stream of events. */
class TopSource {
  private starts = 0;
  private events = 0;
  private streaming = true;

  constructor(
    private readonly context: CliContext,
    private readonly signal: AbortSignal,
  ) {
    void this.listen();
  }

  private async listen(): Promise<void> {
    try {
      const client = await this.context.api.typed();
      const onLost = () => {
        this.streaming = false;
      };
      const patienceMs = Number.POSITIVE_INFINITY;
      for await (const { event } of followEvents(client, { signal: this.signal, patienceMs, onLost })) {
        this.streaming = true;
        this.events++;
        if (event.type === 'WORKFLOW_EXECUTION_STARTED') this.starts++;
      }
    } catch {
      // Ended with the command, or refused: then polling alone has to do.
      this.streaming = false;
    }
  }

  /** Throws CliError. */
  async sample(): Promise<TopSample> {
    const api = this.context.api.until(this.signal);
    const count = async (status: RunStatus) => {
      const page = await api.runs({ status, limit: COUNTED });
      return [status, { n: page.items.length, more: page.nextCursor !== null }] as const;
    };
    const [health, servers, metrics, failed, ...counts] = await Promise.all([
      api.health(),
      api.servers(),
      api.metrics(),
      api.runs({ status: 'failed,timed_out,dead_letter', limit: FAILURES }),
      ...COUNTED_STATES.map(count),
    ]);
    return {
      atMs: Date.now(),
      servers,
      metrics,
      counts: Object.fromEntries(counts),
      failures: failed.items,
      starts: this.starts,
      events: this.events,
      streaming: this.streaming,
      version: health.version,
      uptimeMs: health.uptimeMs,
    };
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
