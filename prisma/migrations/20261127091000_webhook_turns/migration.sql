-- Organisations take turns: the one that was looked at longest ago is next, and one whose events could not be worked on rests until
-- then. To the microsecond: rounded up, an organisation with more to look through would not be due yet.
ALTER TABLE webhook_cursor ADD COLUMN next_at timestamptz NOT NULL DEFAULT now();
