import type { NodeView, RunDetail } from '@/lib/protocol/run';
import { NODE_LOOKS, RUN_LOOKS } from '@/lib/theme/status';
import type { Output } from '@/server/cli/output';
import { clean, mark, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

/** Node states that get a line of their own when a node enters them. */
const TOLD = new Set<NodeView['status']>([
  'running',
  'waiting',
  'backing_off',
  'unknown_outcome',
  'completed',
  'failed',
  'skipped',
  'cancelled',
  'compensating',
  'compensated',
  'compensation_failed',
]);

const UNDONE = new Set<NodeView['status']>(['compensating', 'compensated', 'compensation_failed']);

/** Prints what changed in a run since it was last shown: one line for each step and state. */
export class StepLines {
  private readonly told = new Map<string, string>();
  private status: RunDetail['status'] | undefined;

  constructor(private readonly output: Output) {}

  /** Prints the differences, in the order in which they happened. */
  update(run: RunDetail): void {
    for (const node of asTheyHappened(run.nodes)) {
      const state = `${node.status} ${node.attempt}`;
      if (this.told.get(node.path) === state || !TOLD.has(node.status)) continue;
      this.told.set(node.path, state);
      this.output.line(this.stepLine(node));
    }
    const open = run.closedAt === null;
    if (open && this.status !== undefined && run.status !== this.status) {
      this.output.line(`${mark(RUN_LOOKS[run.status], this.output.paint)}  run ${run.status}`);
    }
    this.status = run.status;
  }

  private stepLine(node: NodeView): string {
    const { paint } = this.output;
    const what =
      node.tool === null ? node.kind : `${node.server ?? ''}${node.server === null ? '' : '.'}${node.tool}`;
    const parts = [
      mark(NODE_LOOKS[node.status], paint),
      clean(node.path).padEnd(24),
      paint('dim', clean(what)),
    ];
    if (node.attempt > 1) parts.push(paint('warn', `attempt ${node.attempt}`));
    if (node.durationMs !== null && node.status !== 'skipped')
      parts.push(paint('dim', timing(node.durationMs)));
    const failure = node.status === 'completed' ? null : node.failure;
    if (failure !== null) parts.push(paint('danger', clean(`${failure.code}: ${failure.message}`)));
    return parts.join('  ').trimEnd();
  }
}

/** Steps in the order in which they began; after them those that were undone, the last completed first, as the engine does it. */
function asTheyHappened(nodes: readonly NodeView[]): NodeView[] {
  const undone = nodes.filter((node) => UNDONE.has(node.status)).reverse();
  undone.sort((a, b) => Date.parse(b.endedAt ?? '') - Date.parse(a.endedAt ?? ''));
  return [...nodes.filter((node) => !UNDONE.has(node.status)), ...undone];
}

/** Steps of a run as columns. */
export const NODE_COLUMNS: readonly Column<NodeView>[] = [
  { title: 'STEP', value: (node) => node.path },
  { title: 'STATUS', value: (node) => node.status, tone: (node) => NODE_LOOKS[node.status].token },
  { title: 'KIND', value: (node) => node.kind },
  { title: 'SERVER', value: (node) => node.server },
  { title: 'TOOL', value: (node) => node.tool },
  { title: 'ATTEMPT', value: (node) => node.attempt, right: true },
  {
    title: 'PROGRESS',
    value: (node) => node.progress?.progress ?? null,
    show: (node) => progressOf(node),
  },
  {
    title: 'MS',
    value: (node) => node.durationMs,
    right: true,
  },
  {
    title: 'FAILURE',
    value: (node) => node.failure?.code ?? null,
    show: (node) => node.failure?.message ?? '',
  },
];

/** What the server of a running call said last: `2/3 second batch`. */
function progressOf({ progress }: NodeView): string {
  if (progress === undefined) return '';
  const { total, message } = progress;
  const parts = total === undefined ? `${progress.progress}` : `${progress.progress}/${total}`;
  return message === undefined ? parts : `${parts} ${message}`;
}

/** How a run ended, for people: state, time, result or failure, and its id. */
export function printOutcome(run: RunDetail, output: Output): void {
  const { paint } = output;
  const took = run.durationMs === null ? '' : ` in ${timing(run.durationMs)}`;
  output.line();
  output.line(`${mark(RUN_LOOKS[run.status], paint)}  ${paint('bold', run.status.toUpperCase())}${took}`);
  if (run.failure !== null) {
    output.line(paint('danger', clean(`${run.failure.code}: ${run.failure.message}`)));
    if (run.failure.nodePath !== undefined) output.line(`at step ${clean(run.failure.nodePath)}`);
  }
  if (run.output !== null) output.value(run.output);
  output.line(`${paint('dim', 'run')} ${run.runId}`);
}
