import type { WorkflowDefinition } from '@/lib/protocol/definition';

const chain = (name: string, ...activities: string[]): WorkflowDefinition => ({
  schemaVersion: 1,
  name,
  nodes: activities.map((activity, i) => ({ id: `step${i + 1}`, kind: 'activity' as const, activity })),
  edges: activities.slice(1).map((_, i) => ({ from: `step${i + 1}`, to: `step${i + 2}` })),
});

/** The workflow that every engine runs: three steps, one after another, that do nothing. */
export const THREE_STEPS = chain('three-steps', 'noop', 'noop', 'noop');

/** As THREE_STEPS, but its first step notes when it was begun. */
export const MARKED = chain('marked', 'mark', 'noop', 'noop');

/** A run that is in the middle of a long, repeatable call when its process is killed. */
export const INTERRUPTED = chain('interrupted', 'noop', 'long', 'noop');

/** A run that waits for the signal `go`. */
export const WAITING: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
};

/** A run that waits for a timer. */
export const NAP: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'nap',
  nodes: [{ id: 'nap', kind: 'wait', duration: '200ms' }],
};

/** A run of the noisy organisation. Its second step is slow, and is held for as long as its backlog is being made. */
export const NOISY: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'noisy',
  nodes: [
    { id: 'step1', kind: 'activity', activity: 'noise-begins' },
    { id: 'step2', kind: 'activity', activity: 'noise-is-slow', timeout: '1h' },
    { id: 'step3', kind: 'activity', activity: 'noise-ends' },
  ],
  edges: [
    { from: 'step1', to: 'step2' },
    { from: 'step2', to: 'step3' },
  ],
};
