import { type NodeStatus, OPEN_RUN_STATUSES, type RunStatus } from '@/lib/protocol/run';
import type { GlyphName } from '@/lib/theme/glyphs';
import type { ColorToken } from '@/lib/theme/tokens';

/** How a status looks. Never colour alone: the glyph and the code say the same (WCAG 1.4.1). */
export interface StatusLook {
  glyph: GlyphName;
  /** Two to four letters. */
  code: string;
  token: Extract<ColorToken, 'active' | 'ok' | 'warn' | 'danger' | 'text' | 'dim'>;
  /** The word a screen reader says and a tooltip shows. */
  label: string;
}

/** Looks of run statuses. */
export const RUN_LOOKS: Record<RunStatus, StatusLook> = {
  running: { glyph: 'play', code: 'RUN', token: 'active', label: 'Running' },
  paused: { glyph: 'pause', code: 'PAUS', token: 'warn', label: 'Paused' },
  compensating: { glyph: 'triangle', code: 'COMP', token: 'warn', label: 'Compensating' },
  completed: { glyph: 'check', code: 'OK', token: 'ok', label: 'Completed' },
  failed: { glyph: 'cross', code: 'FAIL', token: 'danger', label: 'Failed' },
  cancelled: { glyph: 'square', code: 'CANC', token: 'dim', label: 'Cancelled' },
  terminated: { glyph: 'square', code: 'TERM', token: 'danger', label: 'Terminated' },
  timed_out: { glyph: 'cross', code: 'TIME', token: 'danger', label: 'Timed out' },
  continued_as_new: { glyph: 'check', code: 'CONT', token: 'dim', label: 'Continued as a new run' },
  dead_letter: { glyph: 'cross', code: 'DEAD', token: 'danger', label: 'In the dead letters' },
};

/** Looks of node statuses. */
export const NODE_LOOKS: Record<NodeStatus, StatusLook> = {
  pending: { glyph: 'ring', code: 'IDLE', token: 'dim', label: 'Not reached yet' },
  scheduled: { glyph: 'ring', code: 'QUE', token: 'text', label: 'Scheduled' },
  running: { glyph: 'play', code: 'RUN', token: 'active', label: 'Running' },
  waiting: { glyph: 'pause', code: 'WAIT', token: 'warn', label: 'Waiting' },
  backing_off: { glyph: 'triangle', code: 'RTRY', token: 'warn', label: 'Waiting for the next attempt' },
  unknown_outcome: { glyph: 'triangle', code: 'UNKN', token: 'warn', label: 'Outcome unknown' },
  completed: { glyph: 'check', code: 'OK', token: 'ok', label: 'Completed' },
  failed: { glyph: 'cross', code: 'FAIL', token: 'danger', label: 'Failed' },
  skipped: { glyph: 'hollow', code: 'SKIP', token: 'dim', label: 'Skipped' },
  cancelled: { glyph: 'square', code: 'CANC', token: 'dim', label: 'Cancelled' },
  compensating: { glyph: 'triangle', code: 'COMP', token: 'warn', label: 'Compensating' },
  compensated: { glyph: 'check', code: 'UNDO', token: 'dim', label: 'Compensated' },
  compensation_failed: { glyph: 'cross', code: 'CFAL', token: 'danger', label: 'Compensation failed' },
};

/** True while a run has not closed. */
export function isOpenRun(status: RunStatus): boolean {
  return OPEN_RUN_STATUSES.includes(status);
}

/** Node statuses in which a node still moves. */
const OPEN_NODE: ReadonlySet<NodeStatus> = new Set([
  'pending',
  'scheduled',
  'running',
  'waiting',
  'backing_off',
  'unknown_outcome',
  'compensating',
]);

/** True while a node has not ended. */
export function isOpenNode(status: NodeStatus): boolean {
  return OPEN_NODE.has(status);
}
