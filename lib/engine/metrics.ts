import { isSettled } from '@/lib/engine/state';
import type { RunState } from '@/lib/engine/types';

/** What the seed calls WorkflowMetrics: how a run stands and what its servers did. */
export interface WorkflowMetrics {
  workflowId: string;
  runId: string;
  status: 'running' | 'completed' | 'failed' | 'paused';
  /** Path of the node in progress that began last, or null. */
  currentActivity: string | null;
  /** Paths of the completed nodes, in the order in which they began. */
  completedActivities: string[];
  /** Milliseconds from the start to the close, or to `now`. */
  duration: number;
  serverMetrics: Record<
    string,
    { callCount: number; avgLatency: number; errorRate: number; lastCall: string }
  >;
}

/** Cost and usage of a run, as the calls reported it. */
export interface RunUsage {
  calls: number;
  errors: number;
  totalMs: number;
  bytesIn: number;
  bytesOut: number;
  tokens: number;
  costUsd: number;
}

const COARSE: Partial<Record<RunState['status'], WorkflowMetrics['status']>> = {
  completed: 'completed',
  continued_as_new: 'completed',
  paused: 'paused',
  running: 'running',
  compensating: 'running',
};

/** Metrics of a run at `now` (epoch milliseconds). */
export function workflowMetrics(state: RunState, now: number): WorkflowMetrics {
  const begun = [...state.nodes.values()].filter((node) => node.order > 0).sort((a, b) => a.order - b.order);
  const current =
    begun.findLast((node) => !isSettled(node.status) && node.progress === undefined) ??
    begun.findLast((node) => !isSettled(node.status));
  const serverMetrics: WorkflowMetrics['serverMetrics'] = {};
  for (const [name, used] of state.usage.servers) {
    serverMetrics[name] = {
      callCount: used.calls,
      avgLatency: used.calls === 0 ? 0 : used.totalMs / used.calls,
      errorRate: used.calls === 0 ? 0 : used.errors / used.calls,
      lastCall: new Date(used.lastCallAt).toISOString(),
    };
  }
  return {
    workflowId: state.workflowId,
    runId: state.runId,
    status: COARSE[state.status] ?? 'failed',
    currentActivity: state.closedAt === undefined ? (current?.path ?? null) : null,
    completedActivities: begun
      .filter((node) => node.status === 'completed' || node.status === 'compensated')
      .map((node) => node.path),
    duration: (state.closedAt ?? now) - state.startedAt,
    serverMetrics,
  };
}

/** What a run's calls used. */
export function runUsage({ usage }: RunState): RunUsage {
  const { servers: _servers, ...totals } = usage;
  return totals;
}
