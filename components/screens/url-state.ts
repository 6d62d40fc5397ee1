'use client';

import { useEffect, useState } from 'react';

/**
 * A value kept in the address, so that a screen can be shared and reloaded. It is state first: typing must not
 * wait for the router. Empty values are left out of the address.
 */
export function useUrlState(name: string): [string, (value: string) => void] {
  const [value, setValue] = useState('');
  const [read, setRead] = useState(false);
  useEffect(() => {
    setValue(new URLSearchParams(window.location.search).get(name) ?? '');
    setRead(true);
  }, [name]);
  useEffect(() => {
    if (!read) return;
    const url = new URL(window.location.href);
    if ((url.searchParams.get(name) ?? '') === value) return;
    if (value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
    window.history.replaceState(null, '', url);
  }, [name, value, read]);
  return [value, setValue];
}
