-- Erasing runs lost events of others: a batch of events is what was committed together, and one that had no numbers yet was deleted
-- whole, unseen by any reader. What is left of it is kept now.
CREATE OR REPLACE FUNCTION erase_runs(organization uuid, ids uuid[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
DECLARE
    gone uuid[];
    begins timestamptz;
    ends timestamptz;
BEGIN
    SELECT array_agg(r.run_id), min(r.created_at) - interval '1 day', max(r.closed_at) + interval '1 day'
    INTO gone, begins, ends
    FROM (
        SELECT run_id, created_at, closed_at FROM workflow_run
        WHERE organization_id = organization AND run_id = ANY(ids) AND closed_at IS NOT NULL FOR UPDATE
    ) AS r;
    IF gone IS NULL THEN
        RETURN 0;
    END IF;
    -- A batch that has no numbers yet goes on telling of the other runs. First of all: who gives numbers holds the batches it takes,
    -- and has written its entries by the time that this statement has passed them.
    UPDATE event_outbox SET (refs, event_count) = (
        SELECT coalesce(json_agg(ref ORDER BY place), '[]'), coalesce(sum((ref->>2)::int - (ref->>1)::int + 1), 0)
        FROM json_array_elements(refs) WITH ORDINALITY AS r(ref, place) WHERE (ref->>0)::uuid <> ALL(gone))
    WHERE organization_id = organization
        AND EXISTS (SELECT 1 FROM json_array_elements(refs) AS ref WHERE (ref->>0)::uuid = ANY(gone));
    DELETE FROM event_outbox WHERE organization_id = organization AND event_count = 0;
    -- An entry tells of all that was committed together. One that also tells of other runs goes as well: without some of its
    -- events the numbers of the others would be wrong.
    DELETE FROM stream_entry WHERE organization_id = organization AND created_at BETWEEN begins AND ends
        AND EXISTS (SELECT 1 FROM json_array_elements(refs) AS ref WHERE (ref->>0)::uuid = ANY(gone));
    DELETE FROM webhook_out_delivery WHERE organization_id = organization
        AND split_part(event_key, ':', 1) = ANY(gone::text[]);
    DELETE FROM idempotency_record WHERE organization_id = organization AND run_id = ANY(gone);
    DELETE FROM workflow_inbox WHERE organization_id = organization AND run_id = ANY(gone);
    DELETE FROM workflow_payload WHERE organization_id = organization AND run_id = ANY(gone);
    DELETE FROM workflow_event WHERE organization_id = organization AND run_id = ANY(gone);
    DELETE FROM workflow_run WHERE organization_id = organization AND run_id = ANY(gone);
    RETURN cardinality(gone);
END $$;

-- A bulk operation that is asked for again under its Idempotency-Key is the first one; the hash says whether the same is asked for.
ALTER TABLE bulk_operation ADD COLUMN idempotency_key text, ADD COLUMN request_hash text;
CREATE UNIQUE INDEX bulk_operation_key ON bulk_operation (organization_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
