/**
 * The keys of the screens, as data. The help sheet, the hints on buttons and the listeners are made from
 * this list; nothing else in the code names a key of its own. Grid movement lives with the grid.
 */

/** What a shortcut is about: the screen, or the run that is shown. The help sheet sorts by it. */
type ShortcutGroup = 'screen' | 'run';

export interface Shortcut {
  id: string;
  group: ShortcutGroup;
  /** Chords, the first one is shown: `ctrl+shift+c`, `f5`, `?`, `space`. Modifiers are literal on every system. */
  keys: readonly [string, ...string[]];
  /** What it does, as the help sheet says it. */
  label: string;
}

export const SHORTCUTS = [
  { id: 'help', group: 'screen', keys: ['?'], label: 'Show the keys of this screen' },
  { id: 'filter', group: 'screen', keys: ['/', 'ctrl+f'], label: 'Filter runs' },
  { id: 'refresh', group: 'screen', keys: ['f5', 'r'], label: 'Refresh every stream' },
  { id: 'back', group: 'screen', keys: ['escape'], label: 'Close, clear the filter, or go back' },
  { id: 'panel-1', group: 'screen', keys: ['ctrl+1', '1'], label: 'Focus the runs' },
  { id: 'panel-2', group: 'screen', keys: ['ctrl+2', '2'], label: 'Focus the run' },
  { id: 'next-panel', group: 'screen', keys: ['f6'], label: 'Next panel' },
  { id: 'previous-panel', group: 'screen', keys: ['shift+f6'], label: 'Previous panel' },
  { id: 'start-starter', group: 'screen', keys: ['n'], label: 'Run the starter workflow' },
  { id: 'palette', group: 'screen', keys: ['p'], label: 'Switch the colour palette' },
  { id: 'pause', group: 'screen', keys: ['space'], label: 'Pause or resume the focused panel' },
  { id: 'maximise', group: 'run', keys: ['m'], label: 'Open the run on a page of its own' },
  { id: 'steps', group: 'run', keys: ['t'], label: 'Show steps' },
  { id: 'events', group: 'run', keys: ['e'], label: 'Show events' },
  { id: 'data', group: 'run', keys: ['d'], label: 'Show input and result' },
  { id: 'copy-id', group: 'run', keys: ['y'], label: 'Copy the run id' },
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
