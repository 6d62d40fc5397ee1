import { describe, expect, it } from 'vitest';
import { matcher, parseFilter, withStatus } from '@/components/panels/runs/runs-filter';
import type { RunSummary } from '@/lib/protocol/run';

const run = (more: Partial<RunSummary>): RunSummary => ({
  runId: '0193-aa',
  workflowId: 'doc-7',
  workflow: 'Document-Pipeline',
  version: 1,
  status: 'running',
  createdAt: '',
  closedAt: null,
  durationMs: null,
  historyLength: 1,
  failure: null,
  ...more,
});
const match = (text: string, more: Partial<RunSummary> = {}) => matcher(parseFilter(text))(run(more));

describe('the filter of the list of runs', () => {
  it('lets everything through when it is empty', () => {
    expect(match('')).toBe(true);
    expect(match('   ')).toBe(true);
  });
  it('wants every word, in any case and any place', () => {
    expect(match('pipeline DOC-7')).toBe(true);
    expect(match('0193')).toBe(true);
    expect(match('pipeline other')).toBe(false);
    expect(match('timeout', { failure: { code: 'TIMEOUT', message: '' } })).toBe(true);
  });
  it('knows statuses by name and by code', () => {
    expect(match('status:failed', { status: 'failed' })).toBe(true);
    expect(match('status:FAIL doc', { status: 'failed' })).toBe(true);
    expect(match('status:failed')).toBe(false);
  });
  it('takes a half-typed status for a word', () => {
    expect(parseFilter('status:fa').words).toEqual(['status:fa']);
  });
});

describe('withStatus', () => {
  it('puts in, replaces and takes out', () => {
    expect(withStatus('doc', 'failed')).toBe('status:failed doc');
    expect(withStatus('status:failed doc', 'running')).toBe('status:running doc');
    expect(withStatus('Status:RUN doc', null)).toBe('doc');
  });
});
