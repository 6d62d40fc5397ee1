import hotkeys from 'hotkeys-js';
import { matchShortcut } from '@/lib/keyboard/matcher';
import { SHORTCUTS, type ShortcutId } from '@/lib/keyboard/shortcuts';

/** Does what a shortcut says. Answering `false` hands the key back to the browser. */
type ShortcutHandler = (event: KeyboardEvent) => unknown;
export type ShortcutHandlers = Partial<Record<ShortcutId, ShortcutHandler>>;

function element(event: KeyboardEvent): Element | null {
  const target = event.composedPath()[0];
  return target instanceof Element ? target : null;
}

/** True when typing goes into this element. */
function isTextField(target: Element | null): boolean {
  if (target instanceof HTMLInputElement) {
    return !['checkbox', 'radio', 'range', 'button', 'reset', 'submit', 'color', 'file'].includes(
      target.type,
    );
  }
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}

function isControl(target: Element | null): boolean {
  return target?.closest('button, a[href], summary, input, [role="tab"], [role="separator"]') != null;
}

/** The panel that has the focus, by its `data-panel`, or null. */
export function focusedPanel(): string | null {
  return document.activeElement?.closest('[data-panel]')?.getAttribute('data-panel') ?? null;
}

/**
 * Listens for the shortcuts that have a handler; the result stops it. By default hotkeys-js is silent in text
 * fields, so Ctrl+F or F5 in the filter would fall through to the browser: its filter is opened here, and the
 * matcher keeps bare characters for typing instead.
 *
 * @param current the handlers, asked for at each key
 * @param singleKeys asked at each key: false when single-character keys are switched off
 */
export function bindShortcuts(current: () => ShortcutHandlers, singleKeys: () => boolean): () => void {
  hotkeys.filter = () => true;
  const listen = (event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
    const handlers = current();
    const target = element(event);
    const active = SHORTCUTS.filter((entry) => handlers[entry.id] !== undefined);
    const found = matchShortcut(active, event, {
      inText: isTextField(target),
      onControl: isControl(target),
      singleKeys: singleKeys(),
    });
    if (!found) return;
    if (handlers[found.id]?.(event) !== false) event.preventDefault();
  };
  hotkeys('*', listen);
  return () => hotkeys.unbind('*', listen);
}
