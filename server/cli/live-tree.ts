import { type RunRecord, runRecordSchema } from '@/lib/protocol/api-runs';
import type { RunDetail } from '@/lib/protocol/run';
import type { CliContext } from '@/server/cli/context';
import { type RunWithChildren, startsRuns, treeLines } from '@/server/cli/run-tree';
import { ESC, type Screen } from '@/server/cli/screen';
import { paintLine, type Span } from '@/server/cli/spans';

/** Times of steps that run are counted on between two readings. */
const TICK_MS = 250;
/** Child runs are read at most this often, and this deep. */
const CHILDREN_EVERY_MS = 1_000;
const DEPTH = 3;
const CHILDREN = 50;

/** The tree of a run, drawn where it stands and drawn anew whenever something changes. */
export class LiveTree {
  private tree: RunWithChildren | undefined;
  private drawn = 0;
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | undefined;
  private readAt = Number.NEGATIVE_INFINITY;
  private readonly stopResize: () => void;

  constructor(
    private readonly context: CliContext,
    private readonly screen: Screen,
  ) {
    // What is said in between stands above the tree.
    context.output.interlude = () => this.erase();
    screen.write(ESC.hideCursor);
    this.stopResize = screen.onResize(() => this.draw());
    this.timer = setInterval(() => this.draw(), TICK_MS);
  }

  /** The run as it is now. */
  update(run: RunDetail): void {
    this.tree = { run, children: this.tree?.children ?? new Map() };
    this.draw();
    if (startsRuns(run)) this.readChildren(run);
  }

  /** The last picture, whole; after it the terminal is as before. */
  async end(run: RunDetail | undefined): Promise<void> {
    clearInterval(this.timer);
    this.stopResize();
    await this.reading;
    if (run !== undefined) {
      const children = startsRuns(run) ? await this.childrenOf(run, DEPTH).catch(() => undefined) : undefined;
      this.tree = { run, children: children ?? this.tree?.children ?? new Map() };
    }
    this.erase();
    this.context.output.interlude = undefined;
    if (this.tree !== undefined) {
      const { columns } = this.screen.size();
      for (const line of treeLines(this.tree, Date.now()))
        this.screen.write(`${paintLine(line, this.context.output.paint, columns)}\n`);
    }
    this.screen.write(ESC.showCursor);
  }

  private draw(): void {
    if (this.tree === undefined) return;
    const { columns, rows } = this.screen.size();
    const lines = fitted(treeLines(this.tree, Date.now()), rows - 1);
    this.erase();
    const text = lines.map(
      (line) => `${paintLine(line, this.context.output.paint, columns - 1)}${ESC.endOfLine}\n`,
    );
    this.screen.write(text.join(''));
    this.drawn = lines.length;
  }

  private erase(): void {
    if (this.drawn > 0) this.screen.write(`${ESC.up(this.drawn)}\r${ESC.below}`);
    this.drawn = 0;
  }

  private readChildren(run: RunDetail): void {
    if (this.reading !== undefined || performance.now() - this.readAt < CHILDREN_EVERY_MS) return;
    this.readAt = performance.now();
    this.reading = this.childrenOf(run, DEPTH)
      .then((children) => {
        if (this.tree !== undefined) this.tree = { ...this.tree, children };
      })
      .catch(() => undefined)
      .finally(() => {
        this.reading = undefined;
      });
  }

  private async childrenOf(run: RunDetail, depth: number): Promise<Map<string, RunWithChildren[]>> {
    const { api } = this.context;
    const { items } = await api.runs({ parentRunId: run.runId, limit: CHILDREN });
    const records = await Promise.all(
      items.map(
        (item): Promise<RunRecord> =>
          api.send('get', '/api/v1/runs/{runId}', { path: { runId: item.runId }, schema: runRecordSchema }),
      ),
    );
    const found = new Map<string, RunWithChildren[]>();
    for (const record of records.reverse()) {
      const children =
        depth > 1 && startsRuns(record) ? await this.childrenOf(record, depth - 1) : new Map<string, never>();
      const path = record.links.parentNodePath ?? '';
      found.set(path, [...(found.get(path) ?? []), { run: record, children }]);
    }
    return found;
  }
}

/** As many lines as the screen takes: the head, and of the rest the end, where things happen. */
function fitted(lines: Span[][], rows: number): Span[][] {
  const [head, ...rest] = lines;
  if (head === undefined || lines.length <= rows || rows < 3) return lines.slice(0, Math.max(1, rows));
  const kept = rest.slice(-(rows - 2));
  return [head, [['dim', `… ${rest.length - kept.length} lines above`]], ...kept];
}
