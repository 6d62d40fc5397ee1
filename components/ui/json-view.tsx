'use client';

import { useMemo, useState } from 'react';
import { Button } from '@/components/ui/button';
import { tokenize } from '@/components/ui/json-tokens';
import { copyText } from '@/lib/client/clipboard';

/** Lines drawn at first; the rest comes on request, so that a large result does not block the page. */
const LINES = 400;

const TONE = { key: 'text-key', string: 'text-string', number: 'text-number', plain: 'text-dim' } as const;

/** A JSON value, indented and coloured, with its size and a button that copies it. */
export function JsonView({ label, value }: { label: string; value: unknown }) {
  const [all, setAll] = useState(false);
  const text = useMemo(() => JSON.stringify(value, null, 2) ?? 'null', [value]);
  const lines = useMemo(() => text.split('\n'), [text]);
  const cut = !all && lines.length > LINES;
  const nothing = value === null || value === undefined;
  const tokens = useMemo(() => tokenize(cut ? lines.slice(0, LINES).join('\n') : text), [cut, lines, text]);
  return (
    <section aria-label={label} className="flex min-w-0 flex-col">
      <div className="flex h-row items-center gap-[8px] text-dim">
        <h4 className="m-0 text-base font-bold text-dim uppercase">{label}</h4>
        <span>{nothing ? 'none' : size(text.length)}</span>
        {nothing ? null : (
          <Button kind="bare" onClick={() => copyText(text, label)} aria-label={`Copy ${label}`}>
            copy
          </Button>
        )}
      </div>
      <pre
        hidden={nothing}
        className="m-0 border-l border-border bg-bg px-[1ch] py-[4px] font-mono break-words whitespace-pre-wrap"
      >
        {tokens.map((token, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the tokens are a function of the text; none moves
          <span key={at} className={TONE[token.kind]}>
            {token.text}
          </span>
        ))}
      </pre>
      {cut ? (
        <div>
          <Button kind="bare" onClick={() => setAll(true)}>
            show {(lines.length - LINES).toLocaleString('en-GB')} more lines
          </Button>
        </div>
      ) : null}
    </section>
  );
}

function size(characters: number): string {
  return characters < 1_000 ? `${characters} B` : `${(characters / 1_000).toFixed(1)} kB`;
}
