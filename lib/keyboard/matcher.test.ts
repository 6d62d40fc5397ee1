import { describe, expect, it } from 'vitest';
import { chordLabel, isSingleKey, type KeyInput, matchShortcut, parseChord } from '@/lib/keyboard/matcher';
import { SHORTCUTS, shortcut } from '@/lib/keyboard/shortcuts';

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
const FREE = { inText: false, onControl: false, singleKeys: true };
const id = (input: KeyInput, context = FREE) => matchShortcut(SHORTCUTS, input, context)?.id;

describe('parseChord', () => {
  it('takes modifiers in any order and case', () => {
    expect(parseChord('Shift+CTRL+c')).toEqual({
      key: 'c',
      ctrl: true,
      shift: true,
      alt: false,
      meta: false,
    });
    expect(parseChord('Esc').key).toBe('escape');
  });
  it.each(['', 'ctrl', 'a+b', 'ctrl+'])('refuses %j', (text) => {
    expect(() => parseChord(text)).toThrow(RangeError);
  });
});

describe('matchShortcut', () => {
  it('finds a symbol whatever shift it needs on this keyboard', () => {
    expect(id(press('?', { shiftKey: true }))).toBe('help');
    expect(id(press('?'))).toBe('help');
    expect(id(press('/'))).toBe('filter');
  });
  it('tells modified keys apart', () => {
    expect(id(press('f', { ctrlKey: true }))).toBe('filter');
    expect(id(press('f', { ctrlKey: true, shiftKey: true }))).toBeUndefined();
    expect(id(press('1', { metaKey: true }))).toBeUndefined();
    expect(id(press('F6', { shiftKey: true }))).toBe('previous-panel');
    expect(id(press('r', { ctrlKey: true }))).toBeUndefined();
    expect(id(press('F5', { ctrlKey: true }))).toBeUndefined();
  });
  it('leaves bare characters to text fields, but not F-keys and modified keys', () => {
    const inText = { ...FREE, inText: true };
    expect(id(press('r'), inText)).toBeUndefined();
    expect(id(press(' '), inText)).toBeUndefined();
    expect(id(press('F5'), inText)).toBe('refresh');
    expect(id(press('Escape'), inText)).toBe('back');
    expect(id(press('1', { ctrlKey: true }), inText)).toBe('panel-1');
  });
  it('honours the switch for single-character keys', () => {
    const off = { ...FREE, singleKeys: false };
    expect(id(press('n'), off)).toBeUndefined();
    expect(id(press('?', { shiftKey: true }), off)).toBeUndefined();
    expect(id(press('F5'), off)).toBe('refresh');
  });
  it('leaves Space to the button that has the focus', () => {
    expect(id(press(' '))).toBe('pause');
    expect(id(press(' '), { ...FREE, onControl: true })).toBeUndefined();
    expect(id(press('n'), { ...FREE, onControl: true })).toBe('start-starter');
  });
  it('ignores a held key and an input method', () => {
    expect(id(press('F5', { repeat: true }))).toBeUndefined();
    expect(id(press('n', { isComposing: true }))).toBeUndefined();
  });
});

describe('SHORTCUTS', () => {
  it('have unique ids, and no chord twice', () => {
    expect(new Set(SHORTCUTS.map((entry) => entry.id)).size).toBe(SHORTCUTS.length);
    const chords = SHORTCUTS.flatMap((entry) => [...entry.keys] as string[]);
    expect(new Set(chords).size).toBe(chords.length);
  });
  it('leave the keys of the browser alone that a page cannot or should not take', () => {
    const taken = SHORTCUTS.flatMap((entry) => [...entry.keys] as string[]);
    for (const key of ['ctrl+r', 'ctrl+f5', 'ctrl+t', 'ctrl+n', 'ctrl+w', 'ctrl+shift+p', 'f12', 'meta+1']) {
      expect(taken).not.toContain(key);
    }
  });
  it('can be looked up', () => {
    expect(shortcut('pause').keys[0]).toBe('space');
    expect(isSingleKey(parseChord('space'))).toBe(true);
  });
});

describe('chordLabel', () => {
  it.each([
    ['ctrl+f', 'Ctrl+F'],
    ['escape', 'Esc'],
    ['n', 'n'],
    ['f5', 'F5'],
    ['shift+f6', 'Shift+F6'],
    ['down', '↓'],
  ])('%s is printed %s', (text, label) => {
    expect(chordLabel(text)).toBe(label);
  });
});
