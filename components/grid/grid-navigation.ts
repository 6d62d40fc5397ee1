import { type KeyInput, keyName } from '@/lib/keyboard/matcher';

/** Where the focus is: a row by its position, a column by its position. */
export interface GridPlace {
  row: number;
  column: number;
}

export interface GridShape {
  rows: number;
  columns: number;
  /** Whole rows that are visible at once. */
  page: number;
  /** False when keys of one bare character are switched off. */
  singleKeys: boolean;
}

/** What a key means in a grid. */
export type GridAction = { kind: 'move'; to: GridPlace } | { kind: 'open' } | { kind: 'sort' } | null;

const LETTERS: Record<string, string> = { j: 'down', k: 'up', h: 'left', l: 'right' };

/** The action of a key in a grid (ARIA grid pattern, with the letters of vi beside the arrows). */
export function gridAction(input: KeyInput, from: GridPlace, shape: GridShape): GridAction {
  if (input.isComposing || input.altKey || input.metaKey || input.shiftKey || shape.rows === 0) return null;
  const pressed = keyName(input.key);
  if (pressed.length === 1 && (input.ctrlKey || !shape.singleKeys)) return null;
  if (pressed === 'enter') return input.ctrlKey || input.repeat ? null : { kind: 'open' };
  if (pressed === 's') return input.repeat ? null : { kind: 'sort' };
  const to = target(LETTERS[pressed] ?? pressed, input.ctrlKey, from, shape);
  if (to === null) return null;
  return { kind: 'move', to: { row: clamp(to.row, shape.rows), column: clamp(to.column, shape.columns) } };
}

function target(key: string, ctrl: boolean, { row, column }: GridPlace, shape: GridShape): GridPlace | null {
  switch (key) {
    case 'down':
      return { row: ctrl ? shape.rows - 1 : row + 1, column };
    case 'up':
      return { row: ctrl ? 0 : row - 1, column };
    case 'right':
      return { row, column: column + 1 };
    case 'left':
      return { row, column: column - 1 };
    case 'pagedown':
      return { row: row + shape.page, column };
    case 'pageup':
      return { row: row - shape.page, column };
    case 'home':
      return { row: 0, column: ctrl ? 0 : column };
    case 'end':
      return { row: shape.rows - 1, column: ctrl ? shape.columns - 1 : column };
    default:
      return null;
  }
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, value));
}
