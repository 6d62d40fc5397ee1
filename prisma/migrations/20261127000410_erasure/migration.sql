-- Erasure of a person's data. What is personal beside the identity tables goes in the same transaction, so oc_auth may see
-- and delete it, across organisations, and nothing else of these tables.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['saved_view', 'oauth_record', 'oauth_state'] LOOP
        EXECUTE format('CREATE POLICY erasure_read ON %I FOR SELECT TO oc_auth USING (true)', t);
        EXECUTE format('CREATE POLICY erasure ON %I FOR DELETE TO oc_auth USING (true)', t);
        EXECUTE format('GRANT SELECT, DELETE ON %I TO oc_auth', t);
    END LOOP;
END $$;

-- Deletes closed runs whole, as retention does: what tells of them goes first, then the rows, histories and contents. Open runs
-- are passed over: their histories only ever grow. Gives how many were deleted.
CREATE FUNCTION erase_runs(organization uuid, ids uuid[]) RETURNS integer
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
    -- An entry tells of all that was committed together. One that also tells of other runs goes as well: without some of its
    -- events the numbers of the others would be wrong.
    DELETE FROM stream_entry WHERE organization_id = organization AND created_at BETWEEN begins AND ends
        AND EXISTS (SELECT 1 FROM json_array_elements(refs) AS ref WHERE (ref->>0)::uuid = ANY(gone));
    DELETE FROM event_outbox WHERE organization_id = organization
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
REVOKE ALL ON FUNCTION erase_runs(uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_runs(uuid, uuid[]) TO oc_engine;
