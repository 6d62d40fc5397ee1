/**
 * The keys of the screens, as data. The help sheet, the hints on buttons and the listeners are made from
 * this list; nothing else in the code names a key of its own. Grid movement lives with the grid.
 */

/** Where a shortcut works. `global`: everywhere; the others only while that panel has the focus. */
export type ShortcutScope = 'global' | 'runs' | 'run';

export interface Shortcut {
  id: string;
  scope: ShortcutScope;
  /** Chords, the first one is shown: `ctrl+shift+c`, `f5`, `?`, `space`. Modifiers are literal on every system. */
  keys: readonly [string, ...string[]];
  /** What it does, as the help sheet says it. */
  label: string;
}

export const SHORTCUTS = [
  { id: 'help', scope: 'global', keys: ['?'], label: 'Show the keys of this screen' },
  { id: 'filter', scope: 'global', keys: ['/', 'ctrl+f'], label: 'Filter runs' },
  { id: 'refresh', scope: 'global', keys: ['f5', 'r'], label: 'Refresh every stream' },
  { id: 'back', scope: 'global', keys: ['escape'], label: 'Close, clear the filter, or go back' },
  { id: 'panel-1', scope: 'global', keys: ['ctrl+1', '1'], label: 'Focus the runs' },
  { id: 'panel-2', scope: 'global', keys: ['ctrl+2', '2'], label: 'Focus the run' },
  { id: 'next-panel', scope: 'global', keys: ['f6'], label: 'Next panel' },
  { id: 'previous-panel', scope: 'global', keys: ['shift+f6'], label: 'Previous panel' },
  { id: 'start-starter', scope: 'global', keys: ['n'], label: 'Run the starter workflow' },
  { id: 'palette', scope: 'global', keys: ['p'], label: 'Switch the colour palette' },
  { id: 'pause', scope: 'global', keys: ['space'], label: 'Pause or resume the focused panel' },
  { id: 'maximise', scope: 'run', keys: ['m'], label: 'Open the run on a page of its own' },
  { id: 'steps', scope: 'run', keys: ['t'], label: 'Show steps' },
  { id: 'events', scope: 'run', keys: ['e'], label: 'Show events' },
  { id: 'data', scope: 'run', keys: ['d'], label: 'Show input and result' },
  { id: 'copy-id', scope: 'run', keys: ['y'], label: 'Copy the run id' },
] as const satisfies readonly Shortcut[];

export type ShortcutId = (typeof SHORTCUTS)[number]['id'];

/** Keys that every grid understands, for the help sheet. */
export const GRID_KEYS: readonly { keys: readonly string[]; label: string }[] = [
  { keys: ['j', 'k', 'down', 'up'], label: 'Next and previous row' },
  { keys: ['h', 'l', 'left', 'right'], label: 'Previous and next column' },
  { keys: ['home', 'end'], label: 'First and last row' },
  { keys: ['pageup', 'pagedown'], label: 'One screen up and down' },
  { keys: ['enter'], label: 'Open the row' },
  { keys: ['s'], label: 'Sort by the focused column' },
];

/** The shortcut with this id. */
export function shortcut(id: ShortcutId): Shortcut {
  const found = SHORTCUTS.find((entry) => entry.id === id);
  if (!found) throw new RangeError(`No shortcut ${id}`);
  return found;
}
