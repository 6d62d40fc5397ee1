import { notify } from '@/lib/client/connection-store';

/** Copies a text and says so, or that the browser did not allow it (it does not on plain http off this machine). */
export function copyText(text: string, label: string): void {
  if (navigator.clipboard === undefined) {
    notify('The browser allows copying only over https');
    return;
  }
  navigator.clipboard.writeText(text).then(
    () => notify(`${label} copied`),
    () => notify('The browser did not allow copying'),
  );
}
