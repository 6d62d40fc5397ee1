'use client';

import { useId, useState } from 'react';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { entrance } from '@/lib/client/identity';
import type { Me } from '@/lib/protocol/api-identity';

/** Who one is, the organisations one belongs to, and the way out. */
export function Account({ me, onChanged }: { me: Me; onChanged: () => Promise<void> }) {
  const [name, setName] = useState('');
  const id = useId();
  if (me.auth === 'local') {
    return (
      <span className="text-warn">LOCAL · nobody signs in: whoever can use this machine is the owner</span>
    );
  }
  const make = async () => {
    const slug = `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${Date.now().toString(36)}`;
    await entrance.create(name, slug);
    setName('');
    await onChanged();
  };
  return (
    <span className="flex items-end gap-[8px]">
      <span className="flex items-center gap-[6px]">
        <label htmlFor={id} className="text-dim">
          Organisation
        </label>
        <select
          id={id}
          value={me.organization.id}
          onChange={(event) => void entrance.switchTo(event.target.value).then(onChanged)}
          className="h-row border border-border bg-bg px-[4px] font-mono text-base text-text focus:border-accent"
        >
          {me.organizations.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name} ({one.role})
            </option>
          ))}
        </select>
      </span>
      <form
        aria-label="Make an organisation"
        className="flex items-end gap-[4px]"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <Field label="New organisation" required value={name} onText={setName} />
        <Button type="submit">Make</Button>
      </form>
      <Button onClick={() => void entrance.signOut().then(() => window.location.assign('/signin'))}>
        Sign out
      </Button>
    </span>
  );
}
