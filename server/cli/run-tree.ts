import type { NodeView, RunDetail } from '@/lib/protocol/run';
import { GLYPHS } from '@/lib/theme/glyphs';
import { NODE_LOOKS, RUN_LOOKS, type StatusLook } from '@/lib/theme/status';
import type { Span } from '@/server/cli/spans';
import { timing } from '@/server/cli/style';

/** Finished iterations of a loop that are shown one by one; the others become one line. */
const FINISHED_SHOWN = 3;
const QUIET = new Set<NodeView['status']>(['completed', 'skipped', 'compensated']);

/** A run with the runs that its steps started. */
export interface RunWithChildren {
  run: RunDetail;
  /** By path of the step that started them. */
  children: ReadonlyMap<string, readonly RunWithChildren[]>;
}

interface Branch {
  name: string;
  path: string;
  node: NodeView | undefined;
  branches: Branch[];
}

/** The tree of a run as lines: every step under its container, child runs under the step that started them. */
export function treeLines(of: RunWithChildren, nowMs: number): Span[][] {
  const { run } = of;
  const look = RUN_LOOKS[run.status];
  const head: Span[] = [
    marked(look),
    ' ',
    ['bold', run.workflow],
    ` v${run.version}  `,
    ['dim', `${run.runId}  ${timing(run.durationMs ?? Math.max(0, nowMs - Date.parse(run.createdAt)))}`],
  ];
  return [head, ...bodyLines(of, nowMs, '')];
}

function bodyLines(of: RunWithChildren, nowMs: number, indent: string): Span[][] {
  return branchLines(rootOf(of.run.nodes).branches, of, nowMs, indent);
}

function branchLines(
  branches: readonly Branch[],
  of: RunWithChildren,
  nowMs: number,
  indent: string,
): Span[][] {
  const rows = withoutOldIterations(branches);
  return rows.flatMap((row, i) => {
    const isLast = i === rows.length - 1;
    const own = indent + (isLast ? '└─ ' : '├─ ');
    const below = indent + (isLast ? '   ' : '│  ');
    if (typeof row === 'number') return [[['dim', `${own}… ${row} more iterations done`] as Span]];
    const runs = of.children.get(row.path) ?? [];
    const inner = branchLines(row.branches, of, nowMs, runs.length > 0 ? `${below}│  ` : below);
    return [
      branchLine(row, own, nowMs),
      ...inner,
      ...runs.flatMap((child) => childLines(child, nowMs, below)),
    ];
  });
}

function childLines(child: RunWithChildren, nowMs: number, indent: string): Span[][] {
  const [head = [], ...body] = treeLines(child, nowMs);
  return [
    [['dim', `${indent}└─ `], ...head],
    ...body.map((line): Span[] => [['dim', `${indent}   `], ...line]),
  ];
}

function branchLine({ name, node, branches }: Branch, prefix: string, nowMs: number): Span[] {
  if (node === undefined) {
    const state = stateOf(branches);
    return [['dim', prefix], marked(NODE_LOOKS[state]), ` ${/^\d+$/.test(name) ? `[${name}]` : name}`];
  }
  const look = NODE_LOOKS[node.status];
  const what = node.tool === null ? node.kind : [node.server, node.tool].filter(Boolean).join('.');
  const line: Span[] = [['dim', prefix], marked(look), ` ${name}  `, ['dim', what]];
  if (node.attempt > 1) line.push('  ', ['warn', `attempt ${node.attempt}`]);
  const took = durationOf(node, nowMs);
  if (took !== null) line.push('  ', ['dim', timing(took)]);
  if (!QUIET.has(node.status) && node.status !== 'running' && node.status !== 'pending')
    line.push('  ', [look.token, look.label.toLowerCase()]);
  if (node.failure !== null && node.status !== 'completed')
    line.push('  ', ['danger', `${node.failure.code}: ${node.failure.message}`]);
  return line;
}

function durationOf(node: NodeView, nowMs: number): number | null {
  if (node.status === 'skipped' || node.status === 'pending') return null;
  if (node.durationMs !== null) return node.durationMs;
  return node.startedAt === null || node.endedAt !== null
    ? null
    : Math.max(0, nowMs - Date.parse(node.startedAt));
}

function marked(look: StatusLook): Span {
  return [look.token, GLYPHS[look.glyph].char];
}

/** Steps as a tree by their paths; what stands between (iterations) has no step of its own. */
function rootOf(nodes: readonly NodeView[]): Branch {
  const root: Branch = { name: '', path: '', node: undefined, branches: [] };
  const known = new Map<string, Branch>([['', root]]);
  const branchAt = (path: string): Branch => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const cut = path.lastIndexOf('/');
    const made: Branch = { name: path.slice(cut + 1), path, node: undefined, branches: [] };
    known.set(path, made);
    branchAt(cut < 0 ? '' : path.slice(0, cut)).branches.push(made);
    return made;
  };
  for (const node of nodes) branchAt(node.path).node = node;
  return root;
}

/** The state of something that only holds steps: that of its first step which still moves or failed. */
function stateOf(branches: readonly Branch[]): NodeView['status'] {
  const states = branches.map((branch) => branch.node?.status ?? stateOf(branch.branches));
  return states.find((state) => !QUIET.has(state)) ?? 'completed';
}

/** Loops can have thousands of iterations: of those that are done without fault the newest are shown, and a number. */
function withoutOldIterations(branches: readonly Branch[]): (Branch | number)[] {
  const isDone = (branch: Branch) =>
    branch.node === undefined && /^\d+$/.test(branch.name) && stateOf(branch.branches) === 'completed';
  const done = branches.filter(isDone);
  if (done.length <= FINISHED_SHOWN + 1) return [...branches];
  const hidden = new Set(done.slice(0, -FINISHED_SHOWN));
  const kept = branches.filter((branch) => !hidden.has(branch));
  return [hidden.size, ...kept];
}

/** True when steps of the run may have started runs of their own. */
export function startsRuns(run: RunDetail): boolean {
  return run.nodes.some((node) => node.kind === 'subworkflow' && node.status !== 'pending');
}
