import { describe, expect, it } from 'vitest';
import { progress, stepOfInterest, targetText } from '@/components/panels/run/steps';
import type { NodeStatus, NodeView } from '@/lib/protocol/run';

const node = (path: string, status: NodeStatus, more: Partial<NodeView> = {}): NodeView => ({
  path,
  nodeId: path,
  kind: 'transform',
  name: null,
  status,
  attempt: 1,
  startedAt: null,
  endedAt: null,
  durationMs: null,
  server: null,
  tool: null,
  input: null,
  output: null,
  failure: null,
  ...more,
});

describe('stepOfInterest', () => {
  it('prefers trouble, then work, then the newest result', () => {
    const done = [node('a', 'completed'), node('b', 'completed')];
    expect(stepOfInterest(done)?.path).toBe('b');
    expect(stepOfInterest([...done, node('c', 'running'), node('d', 'pending')])?.path).toBe('c');
    expect(stepOfInterest([node('x', 'failed'), ...done, node('c', 'running')])?.path).toBe('x');
    expect(stepOfInterest([node('p', 'pending')])?.path).toBe('p');
    expect(stepOfInterest([])).toBeNull();
  });
});

describe('progress and targetText', () => {
  it('count and name', () => {
    expect(progress([node('a', 'completed'), node('b', 'skipped'), node('c', 'running')])).toEqual({
      done: 2,
      total: 3,
    });
    expect(targetText(node('a', 'running', { server: 'memory', tool: 'read_graph' }))).toBe(
      'memory / read_graph',
    );
    expect(targetText(node('a', 'running', { tool: 'hash' }))).toBe('hash');
    expect(targetText(node('a', 'running'))).toBe('');
  });
});
