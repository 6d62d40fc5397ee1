import { describe, expect, it } from 'vitest';
import { ServerLog } from '@/server/adapters/mcp/server-log';

describe('ServerLog', () => {
  it('keeps the newest lines, oldest first', () => {
    const log = new ServerLog(3);
    for (let n = 1; n <= 5; n++) log.add(n, 'stderr', `line ${n}`);
    expect(log.lines().map((line) => line.text)).toEqual(['line 3', 'line 4', 'line 5']);
    expect(log.tail(2)).toBe('line 4\nline 5');
  });

  it('leaves what was written before the last start out of the tail', () => {
    const log = new ServerLog(3);
    log.add(1, 'stderr', 'old');
    log.started();
    expect(log.tail(5)).toBe('');
    log.add(2, 'stdout', 'not stderr');
    log.add(3, 'stderr', 'new');
    expect(log.tail(5)).toBe('new');
    log.add(4, 'stderr', 'newer');
    log.add(5, 'stderr', 'newest');
    expect(log.tail(5)).toBe('new\nnewer\nnewest');
  });

  it('removes what a terminal would obey and cuts long lines', () => {
    const log = new ServerLog();
    log.add(1, 'stderr', '\u001b[31mred\u001b[0m\u0007 bell\u001b]0;title');
    log.add(2, 'stderr', 'x'.repeat(5000));
    expect(log.lines()[0]?.text).toBe('red bell]0;title');
    expect(log.lines()[1]?.text.length).toBeLessThan(2100);
  });
});
