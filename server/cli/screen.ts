/** A terminal that can be drawn on. */
export interface Screen {
  /** Characters across and lines down, now. */
  size(): { columns: number; rows: number };
  write(text: string): void;
  /** Hands over keys one by one until the function that comes back is called; Ctrl-C is `\u0003`. */
  onKey(listener: (key: string) => void): () => void;
  /** Told when the size has changed, until the function that comes back is called. */
  onResize(listener: () => void): () => void;
}

/** Control sequences that terminals have understood since the VT100, and the second screen of xterm. */
export const ESC = {
  enter: '\u001b[?1049h\u001b[?25l',
  leave: '\u001b[?25h\u001b[?1049l',
  hideCursor: '\u001b[?25l',
  showCursor: '\u001b[?25h',
  home: '\u001b[H',
  endOfLine: '\u001b[K',
  below: '\u001b[J',
  up: (lines: number) => (lines > 0 ? `\u001b[${lines}A` : ''),
} as const;

/** The screen of a process, or undefined when its standard output is no terminal. */
export function screenOf(stdout: NodeJS.WriteStream, stdin: NodeJS.ReadStream): Screen | undefined {
  if (stdout.isTTY !== true) return undefined;
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    write: (text) => {
      stdout.write(text);
    },
    onKey: (listener) => {
      if (stdin.isTTY !== true) return () => undefined;
      const heard = (data: Buffer) => {
        for (const key of data.toString('utf8')) listener(key);
      };
      stdin.setRawMode(true);
      stdin.resume();
      stdin.on('data', heard);
      return () => {
        stdin.off('data', heard);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
  };
}
