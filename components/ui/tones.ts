import type { StatusLook } from '@/lib/theme/status';

/** Class of the text colour of each status token. Written out, so that Tailwind finds the names. */
export const TEXT_TONE: Record<StatusLook['token'], string> = {
  active: 'text-active',
  ok: 'text-ok',
  warn: 'text-warn',
  danger: 'text-danger',
  text: 'text-text',
  dim: 'text-dim',
};
