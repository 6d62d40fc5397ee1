import { describe, expect, it } from 'vitest';
import { gridAction } from '@/components/grid/grid-navigation';
import type { KeyInput } from '@/lib/keyboard/matcher';

const press = (key: string, more: Partial<KeyInput> = {}): KeyInput => ({
  key,
  ctrlKey: false,
  shiftKey: false,
  altKey: false,
  metaKey: false,
  repeat: false,
  isComposing: false,
  ...more,
});
const SHAPE = { rows: 100, columns: 5, page: 20, singleKeys: true };
const from = { row: 50, column: 2 };
const to = (key: string, more: Partial<KeyInput> = {}, place = from) => {
  const action = gridAction(press(key, more), place, SHAPE);
  return action?.kind === 'move' ? [action.to.row, action.to.column] : action;
};

describe('gridAction', () => {
  it.each([
    ['ArrowDown', [51, 2]],
    ['j', [51, 2]],
    ['ArrowUp', [49, 2]],
    ['k', [49, 2]],
    ['l', [50, 3]],
    ['ArrowLeft', [50, 1]],
    ['PageDown', [70, 2]],
    ['PageUp', [30, 2]],
    ['Home', [0, 2]],
    ['End', [99, 2]],
  ])('%s', (key, place) => {
    expect(to(key)).toEqual(place);
  });
  it('stays inside', () => {
    expect(to('PageDown', {}, { row: 95, column: 4 })).toEqual([99, 4]);
    expect(to('ArrowRight', {}, { row: 95, column: 4 })).toEqual([95, 4]);
    expect(to('k', {}, { row: 0, column: 0 })).toEqual([0, 0]);
  });
  it('goes to the corners with Ctrl', () => {
    expect(to('Home', { ctrlKey: true })).toEqual([0, 0]);
    expect(to('End', { ctrlKey: true })).toEqual([99, 4]);
  });
  it('repeats movement but not opening', () => {
    expect(to('j', { repeat: true })).toEqual([51, 2]);
    expect(to('Enter')).toEqual({ kind: 'open' });
    expect(to('Enter', { repeat: true })).toBeNull();
    expect(to('s')).toEqual({ kind: 'sort' });
  });
  it('leaves modified letters to the browser, and letters alone when they are switched off', () => {
    expect(to('l', { ctrlKey: true })).toBeNull();
    expect(to('j', { metaKey: true })).toBeNull();
    expect(gridAction(press('j'), from, { ...SHAPE, singleKeys: false })).toBeNull();
    expect(gridAction(press('ArrowDown'), from, { ...SHAPE, singleKeys: false })).not.toBeNull();
    expect(gridAction(press('j'), from, { ...SHAPE, rows: 0 })).toBeNull();
  });
});
