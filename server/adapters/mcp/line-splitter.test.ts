import { describe, expect, it } from 'vitest';
import { LineSplitter } from '@/server/adapters/mcp/line-splitter';

function collect(maxBytes: number) {
  const lines: string[] = [];
  const oversized: Array<{ bytes: number; head: string; tail: string }> = [];
  const splitter = new LineSplitter(maxBytes, {
    line: (text) => lines.push(text),
    oversized: (bytes, head, tail) => oversized.push({ bytes, head, tail }),
  });
  return { lines, oversized, splitter };
}

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const bytes = Buffer.from('eins\r\nzwölf\n\n€uro\nrest');
    for (let size = 1; size <= bytes.length; size++) {
      const { lines, splitter } = collect(100);
      for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
      expect(lines).toEqual(['eins', 'zwölf', '€uro']);
    }
  });

  it('skips a line that is too long, tells its size and ends, and goes on', () => {
    for (const size of [1, 7, 100, 5000]) {
      const { lines, oversized, splitter } = collect(1000);
      const long = `{"start":"${'x'.repeat(2000)}","id":7}`;
      const bytes = Buffer.from(`a\n${long}\nb\n`);
      for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
      expect(lines).toEqual(['a', 'b']);
      expect(oversized).toHaveLength(1);
      expect(oversized[0]?.bytes).toBe(long.length);
      expect(oversized[0]?.head.startsWith('{"start":"xxx')).toBe(true);
      expect(oversized[0]?.tail.endsWith('","id":7}')).toBe(true);
    }
  });
});
