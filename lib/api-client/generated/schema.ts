/**
 * Generated from the REST operations by `node scripts/generate-api-client.mjs`: not to be edited. A test compares it with what
 * the generator would write now.
 */
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
// biome-ignore-all assist: generated

export interface paths {
    "/api/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List alerts, newest first: those that are firing and those that were. */
        get: operations["listAlerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read from when on something counts as wrong. */
        get: operations["getAlertRules"];
        /** Set the rules; what is left out gets its usual value. */
        put: operations["replaceAlertRules"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your API keys and their use; with users:manage, everybody’s. */
        get: operations["listApiKeys"];
        put?: never;
        /** Make an API key. It is shown this once. */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys/{keyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End an API key at once. */
        delete: operations["removeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Search the audit log, newest first. */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Export the audit log as CSV or JSON lines. */
        get: operations["exportAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Walk the hash chain of the audit log and name the first entry that was changed. */
        get: operations["verifyAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List bulk operations, newest first. */
        get: operations["listBulkOperations"];
        put?: never;
        /** Pause, resume, cancel, terminate, signal or retry every run that fits a filter. */
        post: operations["createBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-operations/{bulkId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a bulk operation and its progress. */
        get: operations["getBulkOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-operations/{bulkId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a bulk operation early; runs that have the command keep it. */
        post: operations["cancelBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Erase a person’s data, or see what that would remove. */
        post: operations["erasePerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read or follow the events of every run of the organisation, by stream number. */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deliver to a webhook: start a run or signal one. */
        post: operations["receiveWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instance/key-rotation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read which key secrets are sealed under, and how its rotation stands. */
        get: operations["getKeyRotation"];
        put?: never;
        /** Bring everything that is sealed to a new key, while work goes on. */
        post: operations["startKeyRotation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List invitations, newest first. */
        get: operations["listInvitations"];
        put?: never;
        /** Invite somebody: gives the link to send them. */
        post: operations["inviteMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/{invitationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Withdraw an invitation. */
        delete: operations["withdrawInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read who you are, in which organisation, and what you may. */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the names of one’s own secrets; their values are never shown. */
        get: operations["listMySecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set a secret of one’s own. */
        put: operations["setMySecret"];
        post?: never;
        /** Remove a secret of one’s own; the next call does without it. */
        delete: operations["deleteMySecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the members with their roles. */
        get: operations["listMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/members/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a member; their keys for this organisation end too. */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        /** Give a member another role. */
        patch: operations["setMemberRole"];
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read this API as an OpenAPI 3.1 document. */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/organization": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the organisation. */
        get: operations["getOrganization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Rename the organisation. */
        patch: operations["renameOrganization"];
        trace?: never;
    };
    "/api/v1/quotas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read how much the organisation may use, and how much it uses. */
        get: operations["getQuotas"];
        /** Set how much the organisation may use. */
        put: operations["putQuotas"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the roles and every permission. */
        get: operations["listRoles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/roles/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Make or change a role of the organisation’s own. */
        put: operations["putRole"];
        post?: never;
        /** Remove a role that nobody has. */
        delete: operations["removeRole"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List runs, newest first. */
        get: operations["listRuns"];
        put?: never;
        /** Start a run. */
        post: operations["startRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a run with its nodes, input, output and neighbours. */
        get: operations["getRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say yes to a question of a run. */
        post: operations["approveRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a run to cancel: calls are stopped, compensation runs. */
        post: operations["cancelRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a run's history behind a seq; wait for more, or follow it. */
        get: operations["listRunEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/events/{seq}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read one event, whole, however large its payload is. */
        get: operations["getRunEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download the whole history of a run. */
        get: operations["getRunHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/input": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answer what a server asks in the middle of a call. */
        post: operations["answerRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read how a run stands and what its servers did. */
        get: operations["getRunMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin nothing new; what runs may end. */
        post: operations["pauseRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/payload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read one node with its whole input and output. */
        get: operations["getRunPayload"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/payloads/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download a picture, a sound, a file or a long text that a tool answered with. */
        get: operations["downloadRunPayload"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say no to a question of a run. */
        post: operations["rejectRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/rerun": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a new run that does one node and all that comes after it again. */
        post: operations["rerunRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say what became of a call whose outcome nobody knows. */
        post: operations["resolveRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a new run that does everything again. */
        post: operations["restartRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused run go on. */
        post: operations["resumeRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a new run that does again what did not complete. */
        post: operations["retryRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/signal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a signal to a run. */
        post: operations["signalRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/terminate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a run at once; nothing is compensated. */
        post: operations["terminateRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{runId}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a run as bars over time, one for each node path. */
        get: operations["getRunTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List schedules by name. */
        get: operations["listSchedules"];
        put?: never;
        /** Make a schedule. */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a schedule and what became of its latest times. */
        get: operations["getSchedule"];
        /** Replace a schedule; its times are counted anew from now. */
        put: operations["replaceSchedule"];
        post?: never;
        /** Remove a schedule; runs that it started go on. */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{name}/backfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start the times of a span that passed without a start. */
        post: operations["backfillSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pause a schedule: times that come meanwhile are let pass. */
        post: operations["pauseSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused schedule go on with its next time. */
        post: operations["resumeSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{name}/times": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the next times of a schedule. */
        get: operations["listScheduleTimes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{name}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a schedule once, now. */
        post: operations["triggerSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show when a schedule would run, without making it. */
        post: operations["previewSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scim-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the tokens with which directories keep users (SCIM 2.0), and the address they use. */
        get: operations["listScimTokens"];
        put?: never;
        /** Make a token for a directory. It is shown this once. */
        post: operations["createScimToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scim-tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a token of a directory at once; whom it brought in stays. */
        delete: operations["removeScimToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the names of secrets; their values are never shown. */
        get: operations["listSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set a secret: what `${secret:NAME}` stands for in the configuration of servers. */
        put: operations["setSecret"];
        post?: never;
        /** Remove a secret. */
        delete: operations["deleteSecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/server-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what happened to the servers of the organisation. */
        get: operations["listFleetEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the MCP servers of the organisation. */
        get: operations["listServers"];
        put?: never;
        /** Add an MCP server. */
        post: operations["addServer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Connect to a server and read what it offers. */
        get: operations["getServer"];
        /** Replace the configuration of a server; the next call uses it. */
        put: operations["replaceServer"];
        post?: never;
        /** Remove a server, with its accepted tools and granted access. */
        delete: operations["deleteServer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept tool definitions as they are now. */
        post: operations["acceptServerTools"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/authorize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start granting access to a remote server (OAuth 2.1). */
        post: operations["authorizeServer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/call": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Call one tool of a server directly, outside any workflow. */
        post: operations["callTool"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the configuration of a server that was added at run time. */
        get: operations["getServerConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what happened to a server: connections, changed tools, suspicious descriptions. */
        get: operations["listServerEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the newest probes of a server. */
        get: operations["getServerHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the newest lines of a server’s own log, as this process has seen them. */
        get: operations["getServerLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Speak MCP with a server now, and say where it stands. */
        post: operations["testServer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/{name}/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the tools of a server, and how each stands to its accepted definition. */
        get: operations["listServerTools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/servers/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take over the servers of a file of Claude Desktop, VS Code, Cursor or Windsurf. */
        post: operations["importServers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read every setting with its value and where that comes from. */
        get: operations["getSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change settings of the organisation. */
        patch: operations["changeSettings"];
        trace?: never;
    };
    "/api/v1/settings/instance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the settings of the process: its environment variables, secrets masked. */
        get: operations["getInstanceSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what waits for people: open questions and calls with unknown outcome, over all open runs. */
        get: operations["listTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the teams with their members. */
        get: operations["listTeams"];
        put?: never;
        /** Make a team. */
        post: operations["createTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a team; its members stay in the organisation. */
        delete: operations["removeTeam"];
        options?: never;
        head?: never;
        /** Rename a team. */
        patch: operations["renameTeam"];
        trace?: never;
    };
    "/api/v1/teams/{teamId}/members/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Put a member of the organisation into a team. */
        put: operations["addTeamMember"];
        post?: never;
        /** Take somebody out of a team. */
        delete: operations["removeTeamMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List saved views: your own and the shared ones, by name. */
        get: operations["listViews"];
        put?: never;
        /** Save a view. */
        post: operations["createView"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/{viewId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a saved view. */
        get: operations["getView"];
        /** Replace a saved view; needs the ETag of the version that was read in If-Match. */
        put: operations["replaceView"];
        post?: never;
        /** Remove a saved view; with If-Match only that version of it. */
        delete: operations["deleteView"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/{viewId}/sharing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read who reaches the view, beside what roles say. */
        get: operations["getViewSharing"];
        /** Say who reaches the view; needs the ETag of what was read in If-Match. */
        put: operations["putViewSharing"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the addresses that other programs post to. */
        get: operations["listWebhooksIn"];
        put?: never;
        /** Make an address that other programs post to. */
        post: operations["createWebhookIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/in/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a way in. */
        get: operations["getWebhookIn"];
        /** Change what a way in does; its address and secret stay. */
        put: operations["replaceWebhookIn"];
        post?: never;
        /** Remove a way in; runs that it started go on. */
        delete: operations["deleteWebhookIn"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/in/{name}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what came in and what became of it, newest first. */
        get: operations["listWebhookInDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/in/{name}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a new secret; the old one is good for a while. */
        post: operations["rotateWebhookIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who is told of events. */
        get: operations["listWebhooksOut"];
        put?: never;
        /** Tell an address of events from now on. */
        post: operations["createWebhookOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a subscription. */
        get: operations["getWebhookOut"];
        /** Change a subscription, or switch it on again. */
        put: operations["replaceWebhookOut"];
        post?: never;
        /** Remove a subscription and its deliveries. */
        delete: operations["deleteWebhookOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what was sent and what waits, newest first. */
        get: operations["listWebhookOutDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}/deliveries/{deliveryId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a delivery with its latest attempts. */
        get: operations["getWebhookOutDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}/deliveries/{deliveryId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a delivery once more, under its id. */
        post: operations["replayWebhookOutDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send every failed delivery made since a time once more. */
        post: operations["replayWebhookOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a new secret; deliveries carry signatures of both for a while. */
        post: operations["rotateWebhookOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/out/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a sample. */
        post: operations["testWebhookOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List workflows (latest versions). */
        get: operations["listWorkflows"];
        put?: never;
        /** Publish a workflow definition as a new version. */
        post: operations["publishWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a workflow and its definition. */
        get: operations["getWorkflow"];
        /** Publish an edited definition over the version that was read. */
        put: operations["putWorkflow"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{name}/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** See what a run would do, without doing it. */
        get: operations["planWorkflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{name}/sharing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read who reaches the workflow, beside what roles say. */
        get: operations["getWorkflowSharing"];
        /** Say who reaches the workflow; needs the ETag of what was read in If-Match. */
        put: operations["putWorkflowSharing"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the versions of a workflow, newest first. */
        get: operations["listWorkflowVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{name}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read one version with its definition. */
        get: operations["getWorkflowVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a definition without storing it. */
        post: operations["validateWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Accepted: {
            /** @constant */
            accepted: true;
        };
        ApproveBody: {
            approvalId?: string;
            comment?: string;
            form?: components["schemas"]["Json"];
        };
        Approvers: {
            roles?: string[];
            users?: string[];
        };
        CallToolBody: {
            /** @default {} */
            arguments: {
                [key: string]: components["schemas"]["Json"];
            };
            tool: string;
        };
        CallToolResult: {
            content: components["schemas"]["Json"][];
            durationMs: number;
            isError: boolean;
            structuredContent: components["schemas"]["Json"] | null;
        };
        DefinitionProblem: {
            code: string;
            fix: string;
            message: string;
            nodeId: string | null;
            pointer: string;
            /** @enum {string} */
            severity: "error" | "warning";
        };
        EventPage: {
            items: components["schemas"]["RunEvent"][];
            nextCursor: string | null;
        };
        Failure: {
            code: string;
            details?: components["schemas"]["Json"];
            message: string;
            nodePath?: string;
            retriable?: boolean;
        };
        History: {
            events: (components["schemas"]["RunEvent"] | {
                [key: string]: components["schemas"]["Json"];
            })[];
            runId?: string;
        };
        /** @description Any JSON value. */
        Json: unknown;
        /** @enum {string} */
        NodeStatus: "pending" | "scheduled" | "running" | "waiting" | "backing_off" | "unknown_outcome" | "completed" | "failed" | "skipped" | "cancelled" | "compensating" | "compensated" | "compensation_failed";
        NodeView: {
            attempt: number;
            durationMs: number | null;
            endedAt: string | null;
            failure: components["schemas"]["Failure"] | null;
            input: components["schemas"]["Json"] | null;
            kind: string;
            name: string | null;
            nodeId: string;
            output: components["schemas"]["Json"] | null;
            path: string;
            progress?: {
                at: string;
                message?: string;
                progress: number;
                total?: number;
            };
            server: string | null;
            startedAt: string | null;
            status: components["schemas"]["NodeStatus"];
            tool: string | null;
        };
        Problem: {
            code: string;
            detail: string;
            next: string;
            path?: string;
            problems?: unknown[];
            requestId?: string;
            retriable: boolean;
            status: number;
            title: string;
            type: string;
        };
        ReasonBody: {
            reason?: string;
        };
        RejectBody: {
            approvalId?: string;
            comment?: string;
        };
        RerunBody: {
            nodeId: string;
        };
        ResolveBody: {
            comment?: string;
            nodePath?: string;
            output?: components["schemas"]["Json"];
            /** @enum {string} */
            resolution: "retry" | "completed" | "failed";
        };
        RestartBody: {
            input?: components["schemas"]["Json"];
            /**
             * @default current
             * @enum {string}
             */
            version: "current" | "latest";
        };
        RetryBody: Record<string, never>;
        Run: {
            closedAt: string | null;
            createdAt: string;
            durationMs: number | null;
            failure: components["schemas"]["Failure"] | null;
            historyLength: number;
            input: components["schemas"]["Json"];
            links: components["schemas"]["RunLinks"];
            nodes: components["schemas"]["NodeView"][];
            output: components["schemas"]["Json"] | null;
            priority?: number;
            runId: string;
            searchAttributes: {
                [key: string]: components["schemas"]["Json"];
            };
            startedBy: string;
            status: components["schemas"]["RunStatus"];
            traceId: string | null;
            version: number;
            workflow: string;
            workflowId: string;
        };
        RunEvent: {
            at: string;
            causationId?: string;
            correlationId?: string;
            data: {
                [key: string]: components["schemas"]["Json"];
            };
            runId: string;
            seq: number;
            type: string;
        };
        RunLinks: {
            nextRunIds: string[];
            parentNodePath: string | null;
            parentRunId: string | null;
            previousRunId: string | null;
        };
        RunPage: {
            items: components["schemas"]["RunSummary"][];
            nextCursor: string | null;
        };
        /** @enum {string} */
        RunStatus: "running" | "paused" | "compensating" | "completed" | "failed" | "cancelled" | "terminated" | "timed_out" | "continued_as_new" | "dead_letter";
        /** @enum {string} */
        RunStatusInput: "running" | "paused" | "compensating" | "completed" | "failed" | "cancelled" | "terminated" | "timed_out" | "continued_as_new" | "dead_letter";
        RunSummary: {
            closedAt: string | null;
            createdAt: string;
            durationMs: number | null;
            failure: components["schemas"]["Failure"] | null;
            historyLength: number;
            runId: string;
            status: components["schemas"]["RunStatus"];
            version: number;
            workflow: string;
            workflowId: string;
        };
        Server: {
            calls: number;
            errors: number;
            instructions: string | null;
            lastError: string | null;
            latencyMs: {
                p50: number;
                p95: number;
            } | null;
            name: string;
            protocolVersion: string | null;
            /** @enum {string} */
            status: "idle" | "connecting" | "connected" | "failed" | "disabled";
            target: string;
            title: string | null;
            toolList: components["schemas"]["Tool"][];
            tools: number | null;
            /** @enum {string} */
            transport: "stdio" | "streamable-http" | "sse";
            version: string | null;
        };
        ServerSummary: {
            calls: number;
            errors: number;
            lastError: string | null;
            latencyMs: {
                p50: number;
                p95: number;
            } | null;
            name: string;
            protocolVersion: string | null;
            /** @enum {string} */
            status: "idle" | "connecting" | "connected" | "failed" | "disabled";
            target: string;
            title: string | null;
            tools: number | null;
            /** @enum {string} */
            transport: "stdio" | "streamable-http" | "sse";
        };
        SignalBody: {
            name: string;
            payload?: components["schemas"]["Json"];
        };
        StartRunBody: {
            input?: components["schemas"]["Json"];
            priority?: number;
            servers?: string[];
            version?: number;
            workflow: string;
            workflowId?: string;
        };
        StreamEvent: {
            event: components["schemas"]["RunEvent"];
            server?: string;
            streamSeq: number;
            workflow: string;
            workflowId: string;
        };
        StreamPage: {
            items: components["schemas"]["StreamEvent"][];
            nextCursor: string | null;
        };
        Task: {
            approvalId: string;
            /** @description Anybody who may approve at all when it is empty. */
            approvers: components["schemas"]["Approvers"][];
            deadline: string | null;
            decisions: {
                at: string;
                by: string;
                comment: string | null;
                /** @enum {string} */
                decision: "approve" | "reject";
            }[];
            description: string | null;
            /** @description JSON Schema of what a yes brings along. */
            form: {
                [key: string]: components["schemas"]["Json"];
            } | null;
            /** @constant */
            kind: "approval";
            /** @description True when the caller can decide it now. */
            mayDecide: boolean;
            nodePath: string;
            quorum: number;
            runId: string;
            since: string;
            /** @description What the guarded call would be made with. */
            subject: components["schemas"]["Json"] | null;
            taskId: string;
            title: string;
            version: number;
            workflow: string;
            workflowId: string;
        } | {
            attempt: number;
            failure: components["schemas"]["Failure"] | null;
            input: components["schemas"]["Json"] | null;
            /** @constant */
            kind: "unknown-outcome";
            nodePath: string;
            /** @enum {string} */
            purpose: "do" | "compensate";
            runId: string;
            server: string | null;
            since: string;
            taskId: string;
            tool: string | null;
            version: number;
            workflow: string;
            workflowId: string;
        } | {
            /** @constant */
            kind: "input";
            nodePath: string;
            /** @description What the server asks; answered with /input. */
            requests: ({
                key: string;
                /** @constant */
                kind: "form";
                message: string;
                /** @description Flat JSON Schema of the fields. */
                schema: {
                    [key: string]: components["schemas"]["Json"];
                };
            } | {
                key: string;
                /** @constant */
                kind: "url";
                message: string;
                url: string;
            } | {
                key: string;
                /** @constant */
                kind: "sampling";
                /** @description As in sampling/createMessage. */
                params: {
                    [key: string]: components["schemas"]["Json"];
                };
            })[];
            runId: string;
            server: string | null;
            since: string;
            taskId: string;
            tool: string | null;
            version: number;
            workflow: string;
            workflowId: string;
        };
        TaskPage: {
            items: components["schemas"]["Task"][];
            nextCursor: string | null;
        };
        Timeline: {
            closedMs: number | null;
            items: {
                attempts: number;
                events: number[];
                /** @enum {string} */
                outcome: "open" | "completed" | "failed" | "cancelled" | "skipped" | "compensated";
                parent: string | null;
                path: string;
                segments: {
                    fromMs: number;
                    /** @enum {string} */
                    kind: "scheduled" | "running" | "waiting" | "backing_off" | "unknown_outcome" | "compensating";
                    toMs: number | null;
                }[];
            }[];
            runId: string;
            startedMs: number;
        };
        Tool: {
            annotations: {
                destructiveHint?: boolean;
                idempotentHint?: boolean;
                openWorldHint?: boolean;
                readOnlyHint?: boolean;
            };
            description: string | null;
            inputSchema: components["schemas"]["Json"];
            name: string;
            outputSchema: components["schemas"]["Json"] | null;
            title: string | null;
        };
        ValidationResult: {
            problems: components["schemas"]["DefinitionProblem"][];
            valid: boolean;
        };
        Workflow: {
            definition: components["schemas"]["WorkflowDefinition"];
            description: string | null;
            name: string;
            nodes: number;
            servers: string[];
            title: string | null;
            updatedAt: string;
            version: number;
        };
        WorkflowDefinition: {
            description?: string;
            edges?: {
                from: string;
                port?: string;
                to: string;
            }[];
            failureWorkflow?: string;
            input?: {
                [key: string]: components["schemas"]["Json"];
            };
            name: string;
            nodes: components["schemas"]["WorkflowNode"][];
            output?: components["schemas"]["Json"];
            outputSchema?: {
                [key: string]: components["schemas"]["Json"];
            };
            /** @constant */
            schemaVersion: 1;
            searchAttributes?: {
                [key: string]: components["schemas"]["Json"];
            };
            secrets?: string[];
            sensitive?: string[];
            timeout?: number | string;
            title?: string;
            ui?: {
                notes?: string;
                positions?: {
                    [key: string]: {
                        x: number;
                        y: number;
                    };
                };
                viewport?: {
                    x: number;
                    y: number;
                    zoom: number;
                };
            };
        };
        WorkflowMetrics: {
            completedActivities: string[];
            currentActivity: string | null;
            duration: number;
            runId: string;
            serverMetrics: {
                [key: string]: {
                    avgLatency: number;
                    callCount: number;
                    errorRate: number;
                    lastCall: string;
                };
            };
            /** @enum {string} */
            status: "running" | "completed" | "failed" | "paused";
            usage: {
                bytesIn: number;
                bytesOut: number;
                calls: number;
                costUsd: number;
                errors: number;
                tokens: number;
                totalMs: number;
            };
            workflowId: string;
        };
        WorkflowNode: {
            approval?: {
                approvers?: components["schemas"]["Approvers"];
                deadline?: number | string;
                description?: string;
                escalation?: {
                    after: number | string;
                    approvers: components["schemas"]["Approvers"];
                };
                form?: {
                    [key: string]: components["schemas"]["Json"];
                };
                /** @enum {string} */
                onDeadline?: "fail" | "reject";
                quorum?: number;
                title?: string;
            };
            arguments?: {
                [key: string]: components["schemas"]["Json"];
            };
            compensate?: {
                arguments?: {
                    [key: string]: components["schemas"]["Json"];
                };
                idempotent?: boolean;
                /** @enum {string} */
                preset?: "external-api" | "database" | "long-running";
                retry?: {
                    initialDelay?: number | string;
                    jitter?: boolean;
                    maxAttempts?: number;
                    maxDelay?: number | string;
                    multiplier?: number;
                    retryOn?: string[];
                };
                server: string;
                timeout?: number | string;
                tool: string;
            } | {
                activity: string;
                idempotent?: boolean;
                input?: components["schemas"]["Json"];
                /** @enum {string} */
                preset?: "external-api" | "database" | "long-running";
                retry?: {
                    initialDelay?: number | string;
                    jitter?: boolean;
                    maxAttempts?: number;
                    maxDelay?: number | string;
                    multiplier?: number;
                    retryOn?: string[];
                };
                timeout?: number | string;
            };
            description?: string;
            id: string;
            idempotent?: boolean;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "mcp-server";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            /** @enum {string} */
            preset?: "external-api" | "database" | "long-running";
            retry?: {
                initialDelay?: number | string;
                jitter?: boolean;
                maxAttempts?: number;
                maxDelay?: number | string;
                multiplier?: number;
                retryOn?: string[];
            };
            server: string;
            timeout?: number | string;
            tool: string;
        } | {
            activity: string;
            approval?: {
                approvers?: components["schemas"]["Approvers"];
                deadline?: number | string;
                description?: string;
                escalation?: {
                    after: number | string;
                    approvers: components["schemas"]["Approvers"];
                };
                form?: {
                    [key: string]: components["schemas"]["Json"];
                };
                /** @enum {string} */
                onDeadline?: "fail" | "reject";
                quorum?: number;
                title?: string;
            };
            compensate?: {
                arguments?: {
                    [key: string]: components["schemas"]["Json"];
                };
                idempotent?: boolean;
                /** @enum {string} */
                preset?: "external-api" | "database" | "long-running";
                retry?: {
                    initialDelay?: number | string;
                    jitter?: boolean;
                    maxAttempts?: number;
                    maxDelay?: number | string;
                    multiplier?: number;
                    retryOn?: string[];
                };
                server: string;
                timeout?: number | string;
                tool: string;
            } | {
                activity: string;
                idempotent?: boolean;
                input?: components["schemas"]["Json"];
                /** @enum {string} */
                preset?: "external-api" | "database" | "long-running";
                retry?: {
                    initialDelay?: number | string;
                    jitter?: boolean;
                    maxAttempts?: number;
                    maxDelay?: number | string;
                    multiplier?: number;
                    retryOn?: string[];
                };
                timeout?: number | string;
            };
            description?: string;
            id: string;
            idempotent?: boolean;
            input?: components["schemas"]["Json"];
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "activity";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            /** @enum {string} */
            preset?: "external-api" | "database" | "long-running";
            retry?: {
                initialDelay?: number | string;
                jitter?: boolean;
                maxAttempts?: number;
                maxDelay?: number | string;
                multiplier?: number;
                retryOn?: string[];
            };
            timeout?: number | string;
        } | {
            description?: string;
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "transform";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            output: components["schemas"]["Json"];
        } | {
            cases: {
                port: string;
                when: string;
            }[];
            description?: string;
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "condition";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
        } | {
            branches: {
                edges?: {
                    from: string;
                    port?: string;
                    to: string;
                }[];
                id: string;
                name?: string;
                nodes: components["schemas"]["WorkflowNode"][];
                output?: components["schemas"]["Json"];
            }[];
            branchJoin?: ("all" | "any") | {
                atLeast: number;
            };
            description?: string;
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "parallel";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            timeout?: number | string;
        } | {
            description?: string;
            edges?: {
                from: string;
                port?: string;
                to: string;
            }[];
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "sequential";
            name?: string;
            nodes: components["schemas"]["WorkflowNode"][];
            /** @enum {string} */
            onError?: "fail" | "continue";
            output?: components["schemas"]["Json"];
            timeout?: number | string;
        } | {
            cancelRest?: boolean;
            description?: string;
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "aggregator";
            /** @enum {string} */
            mode?: "object" | "list" | "first" | "merge";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            output?: components["schemas"]["Json"];
        } | {
            as?: string;
            body: {
                edges?: {
                    from: string;
                    port?: string;
                    to: string;
                }[];
                nodes: components["schemas"]["WorkflowNode"][];
            };
            concurrency?: number;
            description?: string;
            id: string;
            indexAs?: string;
            items?: string | components["schemas"]["Json"][];
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "loop";
            maxIterations?: number;
            /** @enum {string} */
            mode: "for-each" | "while";
            name?: string;
            /** @enum {string} */
            onBound?: "fail" | "stop";
            /** @enum {string} */
            onError?: "fail" | "continue";
            onItemFailure?: ("fail" | "continue") | {
                tolerate: number;
            };
            output?: components["schemas"]["Json"];
            timeout?: number | string;
            while?: string;
        } | {
            description?: string;
            duration?: (number | string) | string;
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "wait";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            signal?: string;
            timeout?: number | string;
            until?: string;
        } | {
            approvers?: components["schemas"]["Approvers"];
            deadline?: number | string;
            description?: string;
            escalation?: {
                after: number | string;
                approvers: components["schemas"]["Approvers"];
            };
            form?: {
                [key: string]: components["schemas"]["Json"];
            };
            id: string;
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "approval";
            name?: string;
            /** @enum {string} */
            onDeadline?: "fail" | "reject";
            /** @enum {string} */
            onError?: "fail" | "continue";
            quorum?: number;
            title?: string;
        } | {
            description?: string;
            id: string;
            input?: components["schemas"]["Json"];
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "subworkflow";
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            /** @enum {string} */
            parentClosePolicy?: "terminate" | "cancel" | "abandon";
            timeout?: number | string;
            version?: number;
            workflow: string;
            workflowId?: string;
        } | {
            description?: string;
            id: string;
            input?: components["schemas"]["Json"];
            join?: ("all" | "any" | "on-failure") | {
                atLeast: number;
            };
            /** @constant */
            kind: "terminate";
            message?: string;
            name?: string;
            /** @enum {string} */
            onError?: "fail" | "continue";
            output?: components["schemas"]["Json"];
            /** @enum {string} */
            status?: "completed" | "failed" | "cancelled" | "continue-as-new";
        };
        WorkflowPlan: {
            name: string;
            problems: components["schemas"]["DefinitionProblem"][];
            runnable: boolean;
            secrets: string[];
            servers: {
                configured: boolean;
                name: string;
                status: string | null;
                tools: string[];
            }[];
            steps: {
                after: string[];
                compensated: boolean;
                container: string | null;
                id: string;
                /** @enum {string} */
                kind: "mcp-server" | "activity" | "transform" | "condition" | "parallel" | "sequential" | "aggregator" | "loop" | "wait" | "approval" | "subworkflow" | "terminate";
                name: string | null;
                needsPerson: boolean;
                safety: ("reads" | "repeatable" | "writes" | "destroys") | null;
                server: string | null;
                step: number;
                tool: string | null;
            }[];
            subworkflows: {
                found: boolean;
                name: string;
            }[];
            version: number;
        };
        WorkflowSummary: {
            description: string | null;
            name: string;
            nodes: number;
            servers: string[];
            title: string | null;
            updatedAt: string;
            version: number;
        };
        WorkflowVersion: {
            createdAt: string;
            createdBy: string;
            etag: string;
            hash: string;
            name: string;
            version: number;
        };
        WorkflowVersionPage: {
            items: components["schemas"]["WorkflowVersion"][];
            nextCursor: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAlerts: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                state?: "firing" | "resolved";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            id: string;
                            message: string;
                            raisedAt: string;
                            resolvedAt: string | null;
                            /** @enum {string} */
                            rule: "queue-depth" | "failure-rate" | "breaker-open" | "server-unreachable";
                            /** @enum {string} */
                            state: "firing" | "resolved";
                            subject: string | null;
                            threshold: number;
                            updatedAt: string;
                            value: number;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAlertRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules with their thresholds. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        "breaker-open": {
                            /** @default true */
                            enabled: boolean;
                        };
                        "failure-rate": {
                            /**
                             * @description Share of the runs that closed.
                             * @default 10
                             */
                            abovePercent: number;
                            /** @default true */
                            enabled: boolean;
                            /**
                             * @description Fewer failures are no alert.
                             * @default 3
                             */
                            minimumFailures: number;
                            /**
                             * @description Window that is looked at.
                             * @default 5
                             */
                            minutes: number;
                        };
                        "queue-depth": {
                            /**
                             * @description Commands waiting for an engine.
                             * @default 10000
                             */
                            above: number;
                            /** @default true */
                            enabled: boolean;
                        };
                        /**
                         * @description An alert is resolved when its condition has not held for this long.
                         * @default 60
                         */
                        resolveAfterSeconds: number;
                        "server-unreachable": {
                            /** @default true */
                            enabled: boolean;
                            /**
                             * @description Failed probes in a row.
                             * @default 2
                             */
                            probes: number;
                        };
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceAlertRules: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default {} */
                    "breaker-open"?: {
                        /** @default true */
                        enabled?: boolean;
                    };
                    /** @default {} */
                    "failure-rate"?: {
                        /**
                         * @description Share of the runs that closed.
                         * @default 10
                         */
                        abovePercent?: number;
                        /** @default true */
                        enabled?: boolean;
                        /**
                         * @description Fewer failures are no alert.
                         * @default 3
                         */
                        minimumFailures?: number;
                        /**
                         * @description Window that is looked at.
                         * @default 5
                         */
                        minutes?: number;
                    };
                    /** @default {} */
                    "queue-depth"?: {
                        /**
                         * @description Commands waiting for an engine.
                         * @default 10000
                         */
                        above?: number;
                        /** @default true */
                        enabled?: boolean;
                    };
                    /**
                     * @description An alert is resolved when its condition has not held for this long.
                     * @default 60
                     */
                    resolveAfterSeconds?: number;
                    /** @default {} */
                    "server-unreachable"?: {
                        /** @default true */
                        enabled?: boolean;
                        /**
                         * @description Failed probes in a row.
                         * @default 2
                         */
                        probes?: number;
                    };
                };
            };
        };
        responses: {
            /** @description The rules. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        "breaker-open": {
                            /** @default true */
                            enabled: boolean;
                        };
                        "failure-rate": {
                            /**
                             * @description Share of the runs that closed.
                             * @default 10
                             */
                            abovePercent: number;
                            /** @default true */
                            enabled: boolean;
                            /**
                             * @description Fewer failures are no alert.
                             * @default 3
                             */
                            minimumFailures: number;
                            /**
                             * @description Window that is looked at.
                             * @default 5
                             */
                            minutes: number;
                        };
                        "queue-depth": {
                            /**
                             * @description Commands waiting for an engine.
                             * @default 10000
                             */
                            above: number;
                            /** @default true */
                            enabled: boolean;
                        };
                        /**
                         * @description An alert is resolved when its condition has not held for this long.
                         * @default 60
                         */
                        resolveAfterSeconds: number;
                        "server-unreachable": {
                            /** @default true */
                            enabled: boolean;
                            /**
                             * @description Failed probes in a row.
                             * @default 2
                             */
                            probes: number;
                        };
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys, without themselves. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            /** Format: date-time */
                            createdAt: string;
                            expiresAt: string | null;
                            id: string;
                            lastUsedAt: string | null;
                            name: string;
                            scopes: string[] | null;
                            start: string;
                            userId: string;
                            userName: string;
                            uses: number;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    days?: number;
                    name: string;
                    scopes?: ("workflows:read" | "workflows:execute" | "workflows:write" | "workflows:share" | "executions:read" | "payloads:reveal" | "executions:control" | "tasks:read" | "tasks:answer" | "approvals:decide" | "schedules:read" | "schedules:write" | "servers:read" | "servers:call" | "servers:manage" | "registries:read" | "registries:manage" | "secrets:read" | "secrets:write" | "webhooks:read" | "webhooks:write" | "alerts:read" | "alerts:write" | "views:read" | "views:write" | "views:share" | "settings:read" | "settings:write" | "audit:read" | "keys:write" | "users:read" | "users:manage" | "organization:read" | "organization:manage" | "about:read")[];
                };
            };
        };
        responses: {
            /** @description The key. Only its hash is kept. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        key: string;
                        name: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description Beginning of the action: `run.` finds run.start and run.cancel. */
                action?: string;
                /** @description Id of the person. */
                actor?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                limit?: number;
                /** @description What was written to, exactly. */
                object?: string;
                since?: string;
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            action: string;
                            actorId: string;
                            actorKind: string;
                            /** Format: date-time */
                            at: string;
                            details: unknown;
                            hash: string | null;
                            id: string;
                            object: string;
                            seq: number | null;
                            source: string | null;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportAudit: {
        parameters: {
            query?: {
                /** @description Beginning of the action: `run.` finds run.start and run.cancel. */
                action?: string;
                /** @description Id of the person. */
                actor?: string;
                format?: "csv" | "jsonl";
                /** @description What was written to, exactly. */
                object?: string;
                since?: string;
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every entry that fits, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                    "text/csv": string;
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verifyAudit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        broken: {
                            /** @enum {string} */
                            fault: "changed" | "missing" | "cut";
                            id: string | null;
                            seq: number;
                        } | null;
                        checked: number;
                        head: string;
                        ok: boolean;
                        unsealed: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listBulkOperations: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest ones with their progress. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            /** @enum {string} */
                            action: "pause" | "resume" | "cancel" | "terminate" | "signal" | "retry";
                            bulkId: string | null;
                            createdAt: string | null;
                            done: number;
                            failed: number;
                            failures: {
                                code: string;
                                message: string;
                                runId: string;
                            }[];
                            filter: {
                                ids?: string[];
                                /** Format: date-time */
                                startedAfter?: string;
                                /** Format: date-time */
                                startedBefore?: string;
                                status?: components["schemas"]["RunStatus"][];
                                workflow?: string;
                            };
                            finishedAt: string | null;
                            matched: number;
                            named?: number;
                            /** @enum {string} */
                            state: "running" | "completed" | "cancelled" | "dry-run";
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBulkOperation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    action: "pause" | "resume" | "cancel" | "terminate" | "signal" | "retry";
                    /** @default false */
                    dryRun?: boolean;
                    filter: {
                        ids?: string[];
                        /** Format: date-time */
                        startedAfter?: string;
                        /** Format: date-time */
                        startedBefore?: string;
                        status?: components["schemas"]["RunStatusInput"][];
                        workflow?: string;
                    };
                    reason?: string;
                    signal?: {
                        name: string;
                        payload?: components["schemas"]["Json"];
                    };
                };
            };
        };
        responses: {
            /** @description A dry run: how many runs fit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        action: "pause" | "resume" | "cancel" | "terminate" | "signal" | "retry";
                        bulkId: string | null;
                        createdAt: string | null;
                        done: number;
                        failed: number;
                        failures: {
                            code: string;
                            message: string;
                            runId: string;
                        }[];
                        filter: {
                            ids?: string[];
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                        };
                        finishedAt: string | null;
                        matched: number;
                        named?: number;
                        /** @enum {string} */
                        state: "running" | "completed" | "cancelled" | "dry-run";
                    };
                };
            };
            /** @description It is written down and will be carried out. */
            202: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        action: "pause" | "resume" | "cancel" | "terminate" | "signal" | "retry";
                        bulkId: string | null;
                        createdAt: string | null;
                        done: number;
                        failed: number;
                        failures: {
                            code: string;
                            message: string;
                            runId: string;
                        }[];
                        filter: {
                            ids?: string[];
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                        };
                        finishedAt: string | null;
                        matched: number;
                        named?: number;
                        /** @enum {string} */
                        state: "running" | "completed" | "cancelled" | "dry-run";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBulkOperation: {
        parameters: {
            query?: {
                /** @description `false` leaves `ids` out of the filter. */
                ids?: "true" | "false";
            };
            header?: never;
            path: {
                bulkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        action: "pause" | "resume" | "cancel" | "terminate" | "signal" | "retry";
                        bulkId: string | null;
                        createdAt: string | null;
                        done: number;
                        failed: number;
                        failures: {
                            code: string;
                            message: string;
                            runId: string;
                        }[];
                        filter: {
                            ids?: string[];
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                        };
                        finishedAt: string | null;
                        matched: number;
                        named?: number;
                        /** @enum {string} */
                        state: "running" | "completed" | "cancelled" | "dry-run";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelBulkOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        action: "pause" | "resume" | "cancel" | "terminate" | "signal" | "retry";
                        bulkId: string | null;
                        createdAt: string | null;
                        done: number;
                        failed: number;
                        failures: {
                            code: string;
                            message: string;
                            runId: string;
                        }[];
                        filter: {
                            ids?: string[];
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                        };
                        finishedAt: string | null;
                        matched: number;
                        named?: number;
                        /** @enum {string} */
                        state: "running" | "completed" | "cancelled" | "dry-run";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erasePerson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Only say what would be removed.
                     * @default false
                     */
                    dryRun?: boolean;
                    /** @description An address, or `me` for who asks. */
                    person: "me" | string;
                    /**
                     * @description Delete the closed runs that the person started, with histories and contents. Needs `users:manage`.
                     * @default false
                     */
                    withRuns?: boolean;
                };
            };
        };
        responses: {
            /** @description What was removed, and what is kept. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        allowed: boolean;
                        dryRun: boolean;
                        kept: {
                            count: number;
                            what: string;
                            why: string;
                        }[];
                        obstacle: string | null;
                        removed: {
                            count: number;
                            what: string;
                        }[];
                        userId: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description Only entries with a larger number; a page begins with the first entry when it is left out. */
                after?: number;
                /** @description Server-sent events instead of one page. */
                follow?: "1" | "" | "true";
                limit?: number;
                topic?: "runs" | "servers" | "alerts";
                /** @description Long poll: milliseconds to wait for a first entry when there is none yet. */
                waitMs?: number;
            };
            header?: {
                /** @description Number of the last entry seen; a stream goes on behind it. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page, or a stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamPage"];
                    "text/event-stream": string;
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    receiveWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "*/*": unknown;
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is taken. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deliveryId: string;
                        runId: string | null;
                        /** @enum {string} */
                        status: "accepted" | "repeated" | "ignored";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getKeyRotation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key by its id, and the rotation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        activeKey: string;
                        envelope: boolean;
                        processes: {
                            host: string;
                            pid: number;
                            ready: boolean;
                        }[];
                        rotation: {
                            done: number;
                            endedAt: string | null;
                            from: string;
                            /** @enum {string} */
                            phase: "preparing" | "resealing" | "done";
                            startedAt: string;
                            startedBy: string;
                            to: string;
                            total: number | null;
                            unreadable: number;
                        } | null;
                        /** @enum {string} */
                        source: "environment" | "file";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startKeyRotation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is begun. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        activeKey: string;
                        envelope: boolean;
                        processes: {
                            host: string;
                            pid: number;
                            ready: boolean;
                        }[];
                        rotation: {
                            done: number;
                            endedAt: string | null;
                            from: string;
                            /** @enum {string} */
                            phase: "preparing" | "resealing" | "done";
                            startedAt: string;
                            startedBy: string;
                            to: string;
                            total: number | null;
                            unreadable: number;
                        } | null;
                        /** @enum {string} */
                        source: "environment" | "file";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest 500. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            /** Format: date-time */
                            createdAt: string;
                            email: string;
                            /** Format: date-time */
                            expiresAt: string;
                            id: string;
                            role: string;
                            status: string;
                            url: string | null;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    inviteMember: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default 7 */
                    days?: number;
                    /** Format: email */
                    email: string;
                    role: string;
                };
            };
        };
        responses: {
            /** @description The invitation with its link. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        createdAt: string;
                        email: string;
                        /** Format: date-time */
                        expiresAt: string;
                        id: string;
                        role: string;
                        status: string;
                        url: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    withdrawInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description You. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        auth: "local" | "required";
                        id: string;
                        /** @enum {string} */
                        kind: "user" | "api-key" | "agent" | "system";
                        name: string;
                        organization: {
                            id: string;
                            name: string;
                            slug: string;
                        };
                        organizations: {
                            id: string;
                            name: string;
                            role: string;
                            slug: string;
                        }[];
                        permissions: string[];
                        role: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listMySecrets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every secret of one’s own. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            name: string;
                            updatedAt: string;
                            updatedBy: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setMySecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    value: string;
                };
            };
        };
        responses: {
            /** @description It is kept, sealed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteMySecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listMembers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every member. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            email: string;
                            /** Format: date-time */
                            joinedAt: string;
                            lastSeenAt: string | null;
                            name: string;
                            role: string;
                            userId: string;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setMemberRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    role: string;
                };
            };
        };
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        email: string;
                        /** Format: date-time */
                        joinedAt: string;
                        lastSeenAt: string | null;
                        name: string;
                        role: string;
                        userId: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        openapi: string;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organisation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        name: string;
                        slug: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    renameOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                };
            };
        };
        responses: {
            /** @description The organisation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        name: string;
                        slug: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQuotas: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Limits (null = none) and use. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        limits: {
                            maxOpenRuns: number | null;
                            maxRunsPerDay: number | null;
                            maxServers: number | null;
                            maxStorageBytes: number | null;
                        };
                        usage: {
                            openRuns: number;
                            runsToday: number;
                            servers: number;
                            storageBytes: number;
                        };
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putQuotas: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    maxOpenRuns: number | null;
                    maxRunsPerDay: number | null;
                    maxServers: number | null;
                    maxStorageBytes: number | null;
                };
            };
        };
        responses: {
            /** @description Limits and use. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        limits: {
                            maxOpenRuns: number | null;
                            maxRunsPerDay: number | null;
                            maxServers: number | null;
                            maxStorageBytes: number | null;
                        };
                        usage: {
                            openRuns: number;
                            runsToday: number;
                            servers: number;
                            storageBytes: number;
                        };
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRoles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Built-in roles, then those of the organisation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            builtIn: boolean;
                            description: string;
                            name: string;
                            permissions: string[];
                        }[];
                        permissions: {
                            meaning: string;
                            name: string;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default  */
                    description?: string;
                    permissions: ("workflows:read" | "workflows:execute" | "workflows:write" | "workflows:share" | "executions:read" | "payloads:reveal" | "executions:control" | "tasks:read" | "tasks:answer" | "approvals:decide" | "schedules:read" | "schedules:write" | "servers:read" | "servers:call" | "servers:manage" | "registries:read" | "registries:manage" | "secrets:read" | "secrets:write" | "webhooks:read" | "webhooks:write" | "alerts:read" | "alerts:write" | "views:read" | "views:write" | "views:share" | "settings:read" | "settings:write" | "audit:read" | "keys:write" | "users:read" | "users:manage" | "organization:read" | "organization:manage" | "about:read")[];
                };
            };
        };
        responses: {
            /** @description The role. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        builtIn: boolean;
                        description: string;
                        name: string;
                        permissions: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRuns: {
        parameters: {
            query?: {
                /** @description A search attribute as NAME:VALUE. */
                attribute?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                limit?: number;
                /** @description Runs that this run started. */
                parentRunId?: string;
                /** @description ISO 8601; runs created at this time or later. */
                startedAfter?: string;
                /** @description ISO 8601; runs created before this time. */
                startedBefore?: string;
                /** @description One status, or several with commas between. */
                status?: string;
                /** @description Id or name of a saved view; its filters hold unless another one is given. */
                view?: string;
                /** @description Name of the workflow. */
                workflow?: string;
                /** @description Name of the chain of runs. */
                workflowId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartRunBody"];
            };
        };
        responses: {
            /** @description The run. */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunSummary"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRun: {
        parameters: {
            query?: {
                /** @description Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log. */
                reveal?: "true" | "false";
            };
            header?: never;
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run, folded from its history. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approveRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApproveBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRunEvents: {
        parameters: {
            query?: {
                /** @description Only events with a larger seq. */
                after?: number;
                /** @description Server-sent events instead of one page. */
                follow?: "1" | "" | "true";
                limit?: number;
                /** @description Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log. */
                reveal?: "true" | "false";
                /** @description Long poll: milliseconds to wait for a first entry when there is none yet. */
                waitMs?: number;
            };
            header?: {
                /** @description Number of the last entry seen; a stream goes on behind it. */
                "Last-Event-ID"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page, or a stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                    "text/event-stream": string;
                };
            };
            /** @description The run has closed and there is nothing behind Last-Event-ID. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRunEvent: {
        parameters: {
            query?: {
                /** @description Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log. */
                reveal?: "true" | "false";
            };
            header?: never;
            path: {
                runId: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunEvent"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRunHistory: {
        parameters: {
            query?: {
                format?: "native" | "temporal";
                /** @description Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log. */
                reveal?: "true" | "false";
            };
            header?: never;
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every event, oldest first. */
            200: {
                headers: {
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    answerRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    answer?: {
                        /** @constant */
                        action: "accept";
                        content?: {
                            [key: string]: components["schemas"]["Json"];
                        };
                    } | {
                        /** @constant */
                        action: "decline";
                    } | {
                        /** @constant */
                        action: "cancel";
                    } | {
                        /** @constant */
                        action: "result";
                        result: {
                            [key: string]: components["schemas"]["Json"];
                        };
                    };
                    answers?: {
                        [key: string]: {
                            /** @constant */
                            action: "accept";
                            content?: {
                                [key: string]: components["schemas"]["Json"];
                            };
                        } | {
                            /** @constant */
                            action: "decline";
                        } | {
                            /** @constant */
                            action: "cancel";
                        } | {
                            /** @constant */
                            action: "result";
                            result: {
                                [key: string]: components["schemas"]["Json"];
                            };
                        };
                    };
                    comment?: string;
                    nodePath?: string;
                };
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRunMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts, latencies in milliseconds, usage. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowMetrics"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRunPayload: {
        parameters: {
            query: {
                /** @description Full path of the node, iterations included: `loop/3/extract`. */
                node: string;
                /** @description Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log. */
                reveal?: "true" | "false";
            };
            header?: never;
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The node. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadRunPayload: {
        parameters: {
            query?: {
                /** @description Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log. */
                reveal?: "true" | "false";
            };
            header?: never;
            path: {
                runId: string;
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content. */
            200: {
                headers: {
                    "Content-Disposition"?: string;
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rejectRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RejectBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rerunRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RerunBody"];
            };
        };
        responses: {
            /** @description The new run. */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunSummary"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resolveRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResolveBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restartRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestartBody"];
            };
        };
        responses: {
            /** @description The new run. */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunSummary"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetryBody"];
            };
        };
        responses: {
            /** @description The new run. */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunSummary"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signalRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignalBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    terminateRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Written down; the owner of the run carries it out. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRunTimeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                runId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Bars in the order in which they began; times in milliseconds since 1970. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSchedules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every schedule of the organisation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            catchupWindowMs: number;
                            createdAt: string;
                            cron: string | null;
                            everyMs: number | null;
                            jitterMs: number;
                            name: string;
                            nextAt: string | null;
                            note: string | null;
                            offsetMs: number;
                            /** @enum {string} */
                            overlap: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                            paused: boolean;
                            /** @default null */
                            priority: number | null;
                            timeZone: string;
                            updatedAt: string;
                            version: number | null;
                            workflow: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default 1h */
                    catchupWindow?: number | string;
                    cron?: string;
                    every?: number | string;
                    /** @default {} */
                    input?: components["schemas"]["Json"];
                    /** @default 0 */
                    jitter?: number | string;
                    name: string;
                    note?: string;
                    /** @default 0 */
                    offset?: number | string;
                    /**
                     * @default skip
                     * @enum {string}
                     */
                    overlap?: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                    /** @default false */
                    paused?: boolean;
                    priority?: number;
                    /** @default UTC */
                    timeZone?: string;
                    version?: number;
                    workflow: string;
                };
            };
        };
        responses: {
            /** @description The schedule. */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        catchupWindowMs: number;
                        createdAt: string;
                        cron: string | null;
                        everyMs: number | null;
                        jitterMs: number;
                        name: string;
                        nextAt: string | null;
                        note: string | null;
                        offsetMs: number;
                        /** @enum {string} */
                        overlap: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                        paused: boolean;
                        /** @default null */
                        priority: number | null;
                        timeZone: string;
                        updatedAt: string;
                        version: number | null;
                        workflow: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule; its latest times newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        catchupWindowMs: number;
                        createdAt: string;
                        cron: string | null;
                        everyMs: number | null;
                        input: components["schemas"]["Json"];
                        jitterMs: number;
                        name: string;
                        nextAt: string | null;
                        note: string | null;
                        offsetMs: number;
                        /** @enum {string} */
                        overlap: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                        paused: boolean;
                        /** @default null */
                        priority: number | null;
                        recent: {
                            dueAt: string;
                            /** @enum {string} */
                            kind: "schedule" | "trigger" | "backfill";
                            nominalAt: string;
                            reason: string | null;
                            runId: string | null;
                            settledAt: string | null;
                            /** @enum {string} */
                            state: "waiting" | "started" | "skipped" | "missed" | "failed";
                        }[];
                        timeZone: string;
                        updatedAt: string;
                        version: number | null;
                        workflow: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default 1h */
                    catchupWindow?: number | string;
                    cron?: string;
                    every?: number | string;
                    /** @default {} */
                    input?: components["schemas"]["Json"];
                    /** @default 0 */
                    jitter?: number | string;
                    note?: string;
                    /** @default 0 */
                    offset?: number | string;
                    /**
                     * @default skip
                     * @enum {string}
                     */
                    overlap?: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                    paused?: boolean;
                    priority?: number;
                    /** @default UTC */
                    timeZone?: string;
                    version?: number;
                    workflow: string;
                };
            };
        };
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        catchupWindowMs: number;
                        createdAt: string;
                        cron: string | null;
                        everyMs: number | null;
                        jitterMs: number;
                        name: string;
                        nextAt: string | null;
                        note: string | null;
                        offsetMs: number;
                        /** @enum {string} */
                        overlap: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                        paused: boolean;
                        /** @default null */
                        priority: number | null;
                        timeZone: string;
                        updatedAt: string;
                        version: number | null;
                        workflow: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    backfillSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: date-time */
                    from: string;
                    /** @enum {string} */
                    overlap?: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                    /** Format: date-time */
                    to: string;
                };
            };
        };
        responses: {
            /** @description The times that were taken. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        times: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    note?: string;
                };
            };
        };
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        catchupWindowMs: number;
                        createdAt: string;
                        cron: string | null;
                        everyMs: number | null;
                        jitterMs: number;
                        name: string;
                        nextAt: string | null;
                        note: string | null;
                        offsetMs: number;
                        /** @enum {string} */
                        overlap: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                        paused: boolean;
                        /** @default null */
                        priority: number | null;
                        timeZone: string;
                        updatedAt: string;
                        version: number | null;
                        workflow: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    note?: string;
                };
            };
        };
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        catchupWindowMs: number;
                        createdAt: string;
                        cron: string | null;
                        everyMs: number | null;
                        jitterMs: number;
                        name: string;
                        nextAt: string | null;
                        note: string | null;
                        offsetMs: number;
                        /** @enum {string} */
                        overlap: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                        paused: boolean;
                        /** @default null */
                        priority: number | null;
                        timeZone: string;
                        updatedAt: string;
                        version: number | null;
                        workflow: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listScheduleTimes: {
        parameters: {
            query?: {
                after?: string;
                count?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The times, in order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        times: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggerSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is carried out once and answered alike. */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    overlap?: "skip" | "buffer-one" | "allow-all" | "cancel-other" | "terminate-other";
                };
            };
        };
        responses: {
            /** @description The time under which it runs. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        times: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewSchedule: {
        parameters: {
            query?: {
                after?: string;
                count?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    cron?: string;
                    every?: number | string;
                    /** @default 0 */
                    offset?: number | string;
                    /** @default UTC */
                    timeZone?: string;
                };
            };
        };
        responses: {
            /** @description The times, in order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        times: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listScimTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tokens, without themselves, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            /** Format: date-time */
                            createdAt: string;
                            createdBy: string | null;
                            expiresAt: string | null;
                            id: string;
                            lastUsedAt: string | null;
                            name: string;
                            start: string;
                        }[];
                        url: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createScimToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    days?: number;
                    name: string;
                };
            };
        };
        responses: {
            /** @description The token. Only its hash is kept. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        name: string;
                        token: string;
                        url: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeScimToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tokenId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSecrets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            name: string;
                            updatedAt: string;
                            updatedBy: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    value: string;
                };
            };
        };
        responses: {
            /** @description It is kept, sealed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFleetEvents: {
        parameters: {
            query?: {
                before?: number;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            at: string;
                            data: {
                                [key: string]: unknown;
                            };
                            id: number;
                            server: string;
                            type: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listServers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every server with its state. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ServerSummary"][];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addServer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    config: {
                        /** @default [] */
                        args?: string[];
                        command: string;
                        concurrency?: number;
                        /** @enum {string} */
                        credentials?: "organization" | "user" | "user-or-organization";
                        cwd?: string;
                        disabled?: boolean;
                        /** @enum {string} */
                        elicitation?: "ask" | "refuse";
                        /** @default {} */
                        env?: {
                            [key: string]: string;
                        };
                        memoryMb?: number;
                        rateLimit?: {
                            burst?: number;
                            perSecond: number;
                        };
                        roots?: string[];
                        /** @enum {string} */
                        sampling?: "ask" | "endpoint" | "refuse";
                        timeoutMs?: number;
                        title?: string;
                        /** @enum {string} */
                        toolChanges?: "off" | "warn" | "block";
                        /** @constant */
                        type: "stdio";
                    } | {
                        concurrency?: number;
                        /** @enum {string} */
                        credentials?: "organization" | "user" | "user-or-organization";
                        disabled?: boolean;
                        /** @enum {string} */
                        elicitation?: "ask" | "refuse";
                        /** @default {} */
                        headers?: {
                            [key: string]: string;
                        };
                        oauth?: {
                            /** @enum {string} */
                            algorithm?: "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" | "PS256" | "EdDSA";
                            clientId?: string;
                            clientSecret?: string;
                            /** @enum {string} */
                            grant?: "authorization-code" | "client-credentials";
                            /** Format: uri */
                            issuer?: string;
                            privateKey?: string;
                            scope?: string;
                        };
                        rateLimit?: {
                            burst?: number;
                            perSecond: number;
                        };
                        roots?: string[];
                        /** @enum {string} */
                        sampling?: "ask" | "endpoint" | "refuse";
                        timeoutMs?: number;
                        title?: string;
                        /** @enum {string} */
                        toolChanges?: "off" | "warn" | "block";
                        /** @enum {string} */
                        type: "streamable-http" | "sse";
                        url: string;
                    };
                    name: string;
                };
            };
        };
        responses: {
            /** @description The server as it is kept. */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config: {
                            /** @default [] */
                            args: string[];
                            command: string;
                            concurrency?: number;
                            /** @enum {string} */
                            credentials?: "organization" | "user" | "user-or-organization";
                            cwd?: string;
                            disabled?: boolean;
                            /** @enum {string} */
                            elicitation?: "ask" | "refuse";
                            /** @default {} */
                            env: {
                                [key: string]: string;
                            };
                            memoryMb?: number;
                            rateLimit?: {
                                burst?: number;
                                perSecond: number;
                            };
                            roots?: string[];
                            /** @enum {string} */
                            sampling?: "ask" | "endpoint" | "refuse";
                            timeoutMs?: number;
                            title?: string;
                            /** @enum {string} */
                            toolChanges?: "off" | "warn" | "block";
                            /** @constant */
                            type: "stdio";
                        } | {
                            concurrency?: number;
                            /** @enum {string} */
                            credentials?: "organization" | "user" | "user-or-organization";
                            disabled?: boolean;
                            /** @enum {string} */
                            elicitation?: "ask" | "refuse";
                            /** @default {} */
                            headers: {
                                [key: string]: string;
                            };
                            oauth?: {
                                /** @enum {string} */
                                algorithm?: "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" | "PS256" | "EdDSA";
                                clientId?: string;
                                clientSecret?: string;
                                /** @enum {string} */
                                grant?: "authorization-code" | "client-credentials";
                                /** Format: uri */
                                issuer?: string;
                                privateKey?: string;
                                scope?: string;
                            };
                            rateLimit?: {
                                burst?: number;
                                perSecond: number;
                            };
                            roots?: string[];
                            /** @enum {string} */
                            sampling?: "ask" | "endpoint" | "refuse";
                            timeoutMs?: number;
                            title?: string;
                            /** @enum {string} */
                            toolChanges?: "off" | "warn" | "block";
                            /** @enum {string} */
                            type: "streamable-http" | "sse";
                            url: string;
                        };
                        missingSecrets: string[];
                        name: string;
                        storedSecrets: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server and its tools. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Server"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    config: {
                        /** @default [] */
                        args?: string[];
                        command: string;
                        concurrency?: number;
                        /** @enum {string} */
                        credentials?: "organization" | "user" | "user-or-organization";
                        cwd?: string;
                        disabled?: boolean;
                        /** @enum {string} */
                        elicitation?: "ask" | "refuse";
                        /** @default {} */
                        env?: {
                            [key: string]: string;
                        };
                        memoryMb?: number;
                        rateLimit?: {
                            burst?: number;
                            perSecond: number;
                        };
                        roots?: string[];
                        /** @enum {string} */
                        sampling?: "ask" | "endpoint" | "refuse";
                        timeoutMs?: number;
                        title?: string;
                        /** @enum {string} */
                        toolChanges?: "off" | "warn" | "block";
                        /** @constant */
                        type: "stdio";
                    } | {
                        concurrency?: number;
                        /** @enum {string} */
                        credentials?: "organization" | "user" | "user-or-organization";
                        disabled?: boolean;
                        /** @enum {string} */
                        elicitation?: "ask" | "refuse";
                        /** @default {} */
                        headers?: {
                            [key: string]: string;
                        };
                        oauth?: {
                            /** @enum {string} */
                            algorithm?: "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" | "PS256" | "EdDSA";
                            clientId?: string;
                            clientSecret?: string;
                            /** @enum {string} */
                            grant?: "authorization-code" | "client-credentials";
                            /** Format: uri */
                            issuer?: string;
                            privateKey?: string;
                            scope?: string;
                        };
                        rateLimit?: {
                            burst?: number;
                            perSecond: number;
                        };
                        roots?: string[];
                        /** @enum {string} */
                        sampling?: "ask" | "endpoint" | "refuse";
                        timeoutMs?: number;
                        title?: string;
                        /** @enum {string} */
                        toolChanges?: "off" | "warn" | "block";
                        /** @enum {string} */
                        type: "streamable-http" | "sse";
                        url: string;
                    };
                };
            };
        };
        responses: {
            /** @description The server as it is kept. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config: {
                            /** @default [] */
                            args: string[];
                            command: string;
                            concurrency?: number;
                            /** @enum {string} */
                            credentials?: "organization" | "user" | "user-or-organization";
                            cwd?: string;
                            disabled?: boolean;
                            /** @enum {string} */
                            elicitation?: "ask" | "refuse";
                            /** @default {} */
                            env: {
                                [key: string]: string;
                            };
                            memoryMb?: number;
                            rateLimit?: {
                                burst?: number;
                                perSecond: number;
                            };
                            roots?: string[];
                            /** @enum {string} */
                            sampling?: "ask" | "endpoint" | "refuse";
                            timeoutMs?: number;
                            title?: string;
                            /** @enum {string} */
                            toolChanges?: "off" | "warn" | "block";
                            /** @constant */
                            type: "stdio";
                        } | {
                            concurrency?: number;
                            /** @enum {string} */
                            credentials?: "organization" | "user" | "user-or-organization";
                            disabled?: boolean;
                            /** @enum {string} */
                            elicitation?: "ask" | "refuse";
                            /** @default {} */
                            headers: {
                                [key: string]: string;
                            };
                            oauth?: {
                                /** @enum {string} */
                                algorithm?: "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" | "PS256" | "EdDSA";
                                clientId?: string;
                                clientSecret?: string;
                                /** @enum {string} */
                                grant?: "authorization-code" | "client-credentials";
                                /** Format: uri */
                                issuer?: string;
                                privateKey?: string;
                                scope?: string;
                            };
                            rateLimit?: {
                                burst?: number;
                                perSecond: number;
                            };
                            roots?: string[];
                            /** @enum {string} */
                            sampling?: "ask" | "endpoint" | "refuse";
                            timeoutMs?: number;
                            title?: string;
                            /** @enum {string} */
                            toolChanges?: "off" | "warn" | "block";
                            /** @enum {string} */
                            type: "streamable-http" | "sse";
                            url: string;
                        };
                        missingSecrets: string[];
                        name: string;
                        storedSecrets: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    acceptServerTools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    tools?: string[];
                };
            };
        };
        responses: {
            /** @description Every tool. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            blocked: boolean;
                            change: string | null;
                            name: string;
                            /** @enum {string} */
                            state: "accepted" | "added" | "changed" | "removed";
                            tool: components["schemas"]["Tool"] | null;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    authorizeServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page to visit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        url: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    callTool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CallToolBody"];
            };
        };
        responses: {
            /** @description What the tool gave back. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallToolResult"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getServerConfig: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The configuration; secrets as references. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config: {
                            /** @default [] */
                            args: string[];
                            command: string;
                            concurrency?: number;
                            /** @enum {string} */
                            credentials?: "organization" | "user" | "user-or-organization";
                            cwd?: string;
                            disabled?: boolean;
                            /** @enum {string} */
                            elicitation?: "ask" | "refuse";
                            /** @default {} */
                            env: {
                                [key: string]: string;
                            };
                            memoryMb?: number;
                            rateLimit?: {
                                burst?: number;
                                perSecond: number;
                            };
                            roots?: string[];
                            /** @enum {string} */
                            sampling?: "ask" | "endpoint" | "refuse";
                            timeoutMs?: number;
                            title?: string;
                            /** @enum {string} */
                            toolChanges?: "off" | "warn" | "block";
                            /** @constant */
                            type: "stdio";
                        } | {
                            concurrency?: number;
                            /** @enum {string} */
                            credentials?: "organization" | "user" | "user-or-organization";
                            disabled?: boolean;
                            /** @enum {string} */
                            elicitation?: "ask" | "refuse";
                            /** @default {} */
                            headers: {
                                [key: string]: string;
                            };
                            oauth?: {
                                /** @enum {string} */
                                algorithm?: "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" | "PS256" | "EdDSA";
                                clientId?: string;
                                clientSecret?: string;
                                /** @enum {string} */
                                grant?: "authorization-code" | "client-credentials";
                                /** Format: uri */
                                issuer?: string;
                                privateKey?: string;
                                scope?: string;
                            };
                            rateLimit?: {
                                burst?: number;
                                perSecond: number;
                            };
                            roots?: string[];
                            /** @enum {string} */
                            sampling?: "ask" | "endpoint" | "refuse";
                            timeoutMs?: number;
                            title?: string;
                            /** @enum {string} */
                            toolChanges?: "off" | "warn" | "block";
                            /** @enum {string} */
                            type: "streamable-http" | "sse";
                            url: string;
                        };
                        missingSecrets: string[];
                        name: string;
                        storedSecrets: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listServerEvents: {
        parameters: {
            query?: {
                before?: number;
                limit?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            at: string;
                            data: {
                                [key: string]: unknown;
                            };
                            id: number;
                            server: string;
                            type: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getServerHealth: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Probes, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        latencyMs: {
                            p50: number;
                            p95: number;
                        } | null;
                        reports: {
                            at: string;
                            detail: string | null;
                            latencyMs: number;
                            protocolVersion: string | null;
                            /** @enum {string} */
                            state: "OPEN" | "NEEDS_AUTH" | "NOT_MCP" | "WRONG_TRANSPORT" | "UNREACHABLE" | "TEMPLATE_URL";
                        }[];
                        uptime: number | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getServerLogs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lines, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            at: string;
                            /** @enum {string} */
                            stream: "stderr" | "stdout" | "client";
                            text: string;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testServer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report; also when the server cannot be reached. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        at: string;
                        detail: string | null;
                        latencyMs: number;
                        protocolVersion: string | null;
                        /** @enum {string} */
                        state: "OPEN" | "NEEDS_AUTH" | "NOT_MCP" | "WRONG_TRANSPORT" | "UNREACHABLE" | "TEMPLATE_URL";
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listServerTools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every tool, also those that are gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            blocked: boolean;
                            change: string | null;
                            name: string;
                            /** @enum {string} */
                            state: "accepted" | "added" | "changed" | "removed";
                            tool: components["schemas"]["Tool"] | null;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importServers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    text: string;
                    workspaceFolder?: string;
                };
            };
        };
        responses: {
            /** @description What was added, and what could not be. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        added: string[];
                        missingSecrets: string[];
                        problems: {
                            message: string;
                            pointer: string;
                        }[];
                        storedSecrets: string[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The settings that hold now. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            allowed: string;
                            description: string;
                            /** @description False for what only the environment of the process decides. */
                            editable: boolean;
                            key: string;
                            /** @enum {string} */
                            source: "default" | "environment" | "organisation";
                            value: components["schemas"]["Json"];
                        }[];
                        updatedAt: string | null;
                        updatedBy: string | null;
                        version: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSettings: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    values: {
                        [key: string]: components["schemas"]["Json"];
                    };
                };
            };
        };
        responses: {
            /** @description The settings that hold now. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            allowed: string;
                            description: string;
                            /** @description False for what only the environment of the process decides. */
                            editable: boolean;
                            key: string;
                            /** @enum {string} */
                            source: "default" | "environment" | "organisation";
                            value: components["schemas"]["Json"];
                        }[];
                        updatedAt: string | null;
                        updatedBy: string | null;
                        version: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getInstanceSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every variable that means something. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            description: string;
                            masked: boolean;
                            /** @description Name of the environment variable. */
                            name: string;
                            /** @enum {string} */
                            source: "default" | "environment";
                            value: components["schemas"]["Json"];
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTasks: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                kind?: "approval" | "unknown-outcome" | "input";
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskPage"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTeams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every team, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            fromDirectory: boolean;
                            id: string;
                            members: {
                                email: string;
                                name: string;
                                userId: string;
                            }[];
                            name: string;
                        }[];
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createTeam: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                };
            };
        };
        responses: {
            /** @description The team, nobody in it yet. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        fromDirectory: boolean;
                        id: string;
                        members: {
                            email: string;
                            name: string;
                            userId: string;
                        }[];
                        name: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    renameTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                };
            };
        };
        responses: {
            /** @description The team. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        fromDirectory: boolean;
                        id: string;
                        members: {
                            email: string;
                            name: string;
                            userId: string;
                        }[];
                        name: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The team. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        fromDirectory: boolean;
                        id: string;
                        members: {
                            email: string;
                            name: string;
                            userId: string;
                        }[];
                        name: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listViews: {
        parameters: {
            query?: {
                /** @description Only views of this name; the caller’s own stands first. */
                name?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The views. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            columns: ("runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure")[];
                            createdAt: string;
                            filters: {
                                /** @description A search attribute as NAME:VALUE. */
                                attribute?: string & (unknown & unknown);
                                /** Format: uuid */
                                parentRunId?: string;
                                /** Format: date-time */
                                startedAfter?: string;
                                /** Format: date-time */
                                startedBefore?: string;
                                /** @description Runs created at most this long ago: `24h`. */
                                startedWithin?: number | string;
                                status?: components["schemas"]["RunStatus"][];
                                workflow?: string;
                                workflowId?: string;
                            };
                            mine: boolean;
                            name: string;
                            /** @description Id of whoever made it. */
                            owner: string;
                            shared: boolean;
                            sort: {
                                /** @enum {string} */
                                by: "runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure";
                                /** @enum {string} */
                                order: "asc" | "desc";
                            };
                            updatedAt: string;
                            version: number;
                            viewId: string;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createView: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @default [
                     *       "runId",
                     *       "status",
                     *       "workflow",
                     *       "createdAt",
                     *       "durationMs",
                     *       "failure"
                     *     ]
                     */
                    columns?: ("runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure")[];
                    /** @default {} */
                    filters?: {
                        /** @description A search attribute as NAME:VALUE. */
                        attribute?: string & (unknown & unknown);
                        /** Format: uuid */
                        parentRunId?: string;
                        /** Format: date-time */
                        startedAfter?: string;
                        /** Format: date-time */
                        startedBefore?: string;
                        /** @description Runs created at most this long ago: `24h`. */
                        startedWithin?: number | string;
                        status?: components["schemas"]["RunStatusInput"][];
                        workflow?: string;
                        workflowId?: string;
                    };
                    name: string;
                    /**
                     * @description Seen by everybody of the organisation.
                     * @default false
                     */
                    shared?: boolean;
                    /**
                     * @description Order within a page; pages themselves go from the newest run to the oldest.
                     * @default {
                     *       "by": "createdAt",
                     *       "order": "desc"
                     *     }
                     */
                    sort?: {
                        /** @enum {string} */
                        by: "runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure";
                        /** @enum {string} */
                        order: "asc" | "desc";
                    };
                };
            };
        };
        responses: {
            /** @description The view. */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        columns: ("runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure")[];
                        createdAt: string;
                        filters: {
                            /** @description A search attribute as NAME:VALUE. */
                            attribute?: string & (unknown & unknown);
                            /** Format: uuid */
                            parentRunId?: string;
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            /** @description Runs created at most this long ago: `24h`. */
                            startedWithin?: number | string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                            workflowId?: string;
                        };
                        mine: boolean;
                        name: string;
                        /** @description Id of whoever made it. */
                        owner: string;
                        shared: boolean;
                        sort: {
                            /** @enum {string} */
                            by: "runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure";
                            /** @enum {string} */
                            order: "asc" | "desc";
                        };
                        updatedAt: string;
                        version: number;
                        viewId: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getView: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                viewId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The view. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        columns: ("runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure")[];
                        createdAt: string;
                        filters: {
                            /** @description A search attribute as NAME:VALUE. */
                            attribute?: string & (unknown & unknown);
                            /** Format: uuid */
                            parentRunId?: string;
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            /** @description Runs created at most this long ago: `24h`. */
                            startedWithin?: number | string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                            workflowId?: string;
                        };
                        mine: boolean;
                        name: string;
                        /** @description Id of whoever made it. */
                        owner: string;
                        shared: boolean;
                        sort: {
                            /** @enum {string} */
                            by: "runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure";
                            /** @enum {string} */
                            order: "asc" | "desc";
                        };
                        updatedAt: string;
                        version: number;
                        viewId: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceView: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path: {
                viewId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @default [
                     *       "runId",
                     *       "status",
                     *       "workflow",
                     *       "createdAt",
                     *       "durationMs",
                     *       "failure"
                     *     ]
                     */
                    columns?: ("runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure")[];
                    /** @default {} */
                    filters?: {
                        /** @description A search attribute as NAME:VALUE. */
                        attribute?: string & (unknown & unknown);
                        /** Format: uuid */
                        parentRunId?: string;
                        /** Format: date-time */
                        startedAfter?: string;
                        /** Format: date-time */
                        startedBefore?: string;
                        /** @description Runs created at most this long ago: `24h`. */
                        startedWithin?: number | string;
                        status?: components["schemas"]["RunStatusInput"][];
                        workflow?: string;
                        workflowId?: string;
                    };
                    name: string;
                    /**
                     * @description Seen by everybody of the organisation.
                     * @default false
                     */
                    shared?: boolean;
                    /**
                     * @description Order within a page; pages themselves go from the newest run to the oldest.
                     * @default {
                     *       "by": "createdAt",
                     *       "order": "desc"
                     *     }
                     */
                    sort?: {
                        /** @enum {string} */
                        by: "runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure";
                        /** @enum {string} */
                        order: "asc" | "desc";
                    };
                };
            };
        };
        responses: {
            /** @description The view. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        columns: ("runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure")[];
                        createdAt: string;
                        filters: {
                            /** @description A search attribute as NAME:VALUE. */
                            attribute?: string & (unknown & unknown);
                            /** Format: uuid */
                            parentRunId?: string;
                            /** Format: date-time */
                            startedAfter?: string;
                            /** Format: date-time */
                            startedBefore?: string;
                            /** @description Runs created at most this long ago: `24h`. */
                            startedWithin?: number | string;
                            status?: components["schemas"]["RunStatus"][];
                            workflow?: string;
                            workflowId?: string;
                        };
                        mine: boolean;
                        name: string;
                        /** @description Id of whoever made it. */
                        owner: string;
                        shared: boolean;
                        sort: {
                            /** @enum {string} */
                            by: "runId" | "status" | "workflow" | "version" | "createdAt" | "closedAt" | "durationMs" | "historyLength" | "workflowId" | "failure";
                            /** @enum {string} */
                            order: "asc" | "desc";
                        };
                        updatedAt: string;
                        version: number;
                        viewId: string;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteView: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path: {
                viewId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getViewSharing: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                viewId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Restriction and shares. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Id of whoever made it; a restriction does not touch them. */
                        creator: string | null;
                        /** @enum {string} */
                        kind: "workflow" | "view";
                        /** @description Name of the workflow, id of the view. */
                        object: string;
                        restricted: boolean;
                        shares: {
                            /**
                             * @description `read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.
                             * @enum {string}
                             */
                            level: "read" | "write" | "admin";
                            /** @description What people call it: an e-mail address, the name of a team. */
                            name: string;
                            /** @description `user:ID`, `team:ID` or `everyone`. */
                            subject: string;
                        }[];
                        version: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putViewSharing: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path: {
                viewId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Only those it is shared with, its creator and administrators reach it; to others it does not exist. */
                    restricted: boolean;
                    shares: {
                        /**
                         * @description `read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.
                         * @enum {string}
                         */
                        level: "read" | "write" | "admin";
                        /** @description `user:` with an id or e-mail address, `team:` with an id or name, or `everyone`. */
                        subject: string;
                    }[];
                };
            };
        };
        responses: {
            /** @description Restriction and shares. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Id of whoever made it; a restriction does not touch them. */
                        creator: string | null;
                        /** @enum {string} */
                        kind: "workflow" | "view";
                        /** @description Name of the workflow, id of the view. */
                        object: string;
                        restricted: boolean;
                        shares: {
                            /**
                             * @description `read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.
                             * @enum {string}
                             */
                            level: "read" | "write" | "admin";
                            /** @description What people call it: an e-mail address, the name of a team. */
                            name: string;
                            /** @description `user:ID`, `team:ID` or `everyone`. */
                            subject: string;
                        }[];
                        version: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWebhooksIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every way in, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            action: {
                                /** @description Template over `body`, `headers`, `query`; the body when left out. */
                                input?: components["schemas"]["Json"];
                                /** @constant */
                                kind: "start";
                                /** @description The newest one when left out. */
                                version?: number;
                                workflow: string;
                                /** @description Template: names the chain of runs. */
                                workflowId?: string;
                            } | {
                                /** @constant */
                                kind: "signal";
                                /** @description Template; the body when left out. */
                                payload?: components["schemas"]["Json"];
                                /** @description Template: the run. Either this or `workflowId`. */
                                runId?: string;
                                /** @description Template: name of the signal. */
                                signal: string;
                                /** @description Template: its open run is signalled. */
                                workflowId?: string;
                            };
                            createdAt: string;
                            createdBy: string;
                            enabled: boolean;
                            id: string;
                            lastAt: string | null;
                            name: string;
                            path: string;
                            previousSecretUntil: string | null;
                            /** @enum {string} */
                            scheme: "standard" | "github";
                            updatedAt: string;
                            when: string | null;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createWebhookIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    action: {
                        /** @description Template over `body`, `headers`, `query`; the body when left out. */
                        input?: components["schemas"]["Json"];
                        /** @constant */
                        kind: "start";
                        /** @description The newest one when left out. */
                        version?: number;
                        workflow: string;
                        /** @description Template: names the chain of runs. */
                        workflowId?: string;
                    } | {
                        /** @constant */
                        kind: "signal";
                        /** @description Template; the body when left out. */
                        payload?: components["schemas"]["Json"];
                        /** @description Template: the run. Either this or `workflowId`. */
                        runId?: string;
                        /** @description Template: name of the signal. */
                        signal: string;
                        /** @description Template: its open run is signalled. */
                        workflowId?: string;
                    };
                    /** @default true */
                    enabled?: boolean;
                    name: string;
                    /**
                     * @default standard
                     * @enum {string}
                     */
                    scheme?: "standard" | "github";
                    /** @description Expression over `body`, `headers`, `query`: other deliveries are acknowledged and ignored. */
                    when?: string;
                };
            };
        };
        responses: {
            /** @description The way in and its secret. */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        action: {
                            /** @description Template over `body`, `headers`, `query`; the body when left out. */
                            input?: components["schemas"]["Json"];
                            /** @constant */
                            kind: "start";
                            /** @description The newest one when left out. */
                            version?: number;
                            workflow: string;
                            /** @description Template: names the chain of runs. */
                            workflowId?: string;
                        } | {
                            /** @constant */
                            kind: "signal";
                            /** @description Template; the body when left out. */
                            payload?: components["schemas"]["Json"];
                            /** @description Template: the run. Either this or `workflowId`. */
                            runId?: string;
                            /** @description Template: name of the signal. */
                            signal: string;
                            /** @description Template: its open run is signalled. */
                            workflowId?: string;
                        };
                        createdAt: string;
                        createdBy: string;
                        enabled: boolean;
                        id: string;
                        lastAt: string | null;
                        name: string;
                        path: string;
                        previousSecretUntil: string | null;
                        /** @enum {string} */
                        scheme: "standard" | "github";
                        secret: string;
                        updatedAt: string;
                        when: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWebhookIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The way in, without its secret. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        action: {
                            /** @description Template over `body`, `headers`, `query`; the body when left out. */
                            input?: components["schemas"]["Json"];
                            /** @constant */
                            kind: "start";
                            /** @description The newest one when left out. */
                            version?: number;
                            workflow: string;
                            /** @description Template: names the chain of runs. */
                            workflowId?: string;
                        } | {
                            /** @constant */
                            kind: "signal";
                            /** @description Template; the body when left out. */
                            payload?: components["schemas"]["Json"];
                            /** @description Template: the run. Either this or `workflowId`. */
                            runId?: string;
                            /** @description Template: name of the signal. */
                            signal: string;
                            /** @description Template: its open run is signalled. */
                            workflowId?: string;
                        };
                        createdAt: string;
                        createdBy: string;
                        enabled: boolean;
                        id: string;
                        lastAt: string | null;
                        name: string;
                        path: string;
                        previousSecretUntil: string | null;
                        /** @enum {string} */
                        scheme: "standard" | "github";
                        updatedAt: string;
                        when: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceWebhookIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    action: {
                        /** @description Template over `body`, `headers`, `query`; the body when left out. */
                        input?: components["schemas"]["Json"];
                        /** @constant */
                        kind: "start";
                        /** @description The newest one when left out. */
                        version?: number;
                        workflow: string;
                        /** @description Template: names the chain of runs. */
                        workflowId?: string;
                    } | {
                        /** @constant */
                        kind: "signal";
                        /** @description Template; the body when left out. */
                        payload?: components["schemas"]["Json"];
                        /** @description Template: the run. Either this or `workflowId`. */
                        runId?: string;
                        /** @description Template: name of the signal. */
                        signal: string;
                        /** @description Template: its open run is signalled. */
                        workflowId?: string;
                    };
                    /** @default true */
                    enabled?: boolean;
                    /**
                     * @default standard
                     * @enum {string}
                     */
                    scheme?: "standard" | "github";
                    /** @description Expression over `body`, `headers`, `query`: other deliveries are acknowledged and ignored. */
                    when?: string;
                };
            };
        };
        responses: {
            /** @description The way in. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        action: {
                            /** @description Template over `body`, `headers`, `query`; the body when left out. */
                            input?: components["schemas"]["Json"];
                            /** @constant */
                            kind: "start";
                            /** @description The newest one when left out. */
                            version?: number;
                            workflow: string;
                            /** @description Template: names the chain of runs. */
                            workflowId?: string;
                        } | {
                            /** @constant */
                            kind: "signal";
                            /** @description Template; the body when left out. */
                            payload?: components["schemas"]["Json"];
                            /** @description Template: the run. Either this or `workflowId`. */
                            runId?: string;
                            /** @description Template: name of the signal. */
                            signal: string;
                            /** @description Template: its open run is signalled. */
                            workflowId?: string;
                        };
                        createdAt: string;
                        createdBy: string;
                        enabled: boolean;
                        id: string;
                        lastAt: string | null;
                        name: string;
                        path: string;
                        previousSecretUntil: string | null;
                        /** @enum {string} */
                        scheme: "standard" | "github";
                        updatedAt: string;
                        when: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteWebhookIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWebhookInDeliveries: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            at: string;
                            bytes: number;
                            code: string | null;
                            deliveryId: string;
                            error: string | null;
                            id: number;
                            runId: string | null;
                            /** @enum {string} */
                            status: "accepted" | "repeated" | "ignored" | "refused";
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateWebhookIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description How long the old secret is good beside the new one.
                     * @default 86400
                     */
                    graceSeconds?: number;
                };
            };
        };
        responses: {
            /** @description The way in and its new secret. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        action: {
                            /** @description Template over `body`, `headers`, `query`; the body when left out. */
                            input?: components["schemas"]["Json"];
                            /** @constant */
                            kind: "start";
                            /** @description The newest one when left out. */
                            version?: number;
                            workflow: string;
                            /** @description Template: names the chain of runs. */
                            workflowId?: string;
                        } | {
                            /** @constant */
                            kind: "signal";
                            /** @description Template; the body when left out. */
                            payload?: components["schemas"]["Json"];
                            /** @description Template: the run. Either this or `workflowId`. */
                            runId?: string;
                            /** @description Template: name of the signal. */
                            signal: string;
                            /** @description Template: its open run is signalled. */
                            workflowId?: string;
                        };
                        createdAt: string;
                        createdBy: string;
                        enabled: boolean;
                        id: string;
                        lastAt: string | null;
                        name: string;
                        path: string;
                        previousSecretUntil: string | null;
                        /** @enum {string} */
                        scheme: "standard" | "github";
                        secret: string;
                        updatedAt: string;
                        when: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWebhooksOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every subscription, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            createdAt: string;
                            createdBy: string;
                            disabledAt: string | null;
                            disabledReason: string | null;
                            enabled: boolean;
                            events: string[];
                            failingSince: string | null;
                            /** @enum {string} */
                            format: "generic" | "slack" | "teams";
                            name: string;
                            previousSecretUntil: string | null;
                            target: string;
                            updatedAt: string;
                            workflow: string | null;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createWebhookOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default true */
                    enabled?: boolean;
                    /**
                     * @description What is told; everything when empty.
                     * @default []
                     */
                    events?: ("run.started" | "run.completed" | "run.failed" | "run.cancelled" | "run.terminated" | "run.timed_out" | "run.dead_letter" | "approval.requested" | "approval.decided" | "approval.escalated" | "approval.closed" | "task.waiting" | "task.unknown_outcome" | "alert.raised" | "alert.resolved" | "webhook.disabled")[];
                    /**
                     * @default generic
                     * @enum {string}
                     */
                    format?: "generic" | "slack" | "teams";
                    name: string;
                    /** Format: uri */
                    url: string;
                    /** @description Only runs of this workflow. */
                    workflow?: string;
                };
            };
        };
        responses: {
            /** @description The subscription and its secret. */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdAt: string;
                        createdBy: string;
                        disabledAt: string | null;
                        disabledReason: string | null;
                        enabled: boolean;
                        events: string[];
                        failingSince: string | null;
                        /** @enum {string} */
                        format: "generic" | "slack" | "teams";
                        name: string;
                        previousSecretUntil: string | null;
                        secret: string;
                        target: string;
                        updatedAt: string;
                        workflow: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWebhookOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The subscription, without its secret. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdAt: string;
                        createdBy: string;
                        disabledAt: string | null;
                        disabledReason: string | null;
                        enabled: boolean;
                        events: string[];
                        failingSince: string | null;
                        /** @enum {string} */
                        format: "generic" | "slack" | "teams";
                        name: string;
                        previousSecretUntil: string | null;
                        target: string;
                        updatedAt: string;
                        workflow: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replaceWebhookOut: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default true */
                    enabled?: boolean;
                    /**
                     * @description What is told; everything when empty.
                     * @default []
                     */
                    events?: ("run.started" | "run.completed" | "run.failed" | "run.cancelled" | "run.terminated" | "run.timed_out" | "run.dead_letter" | "approval.requested" | "approval.decided" | "approval.escalated" | "approval.closed" | "task.waiting" | "task.unknown_outcome" | "alert.raised" | "alert.resolved" | "webhook.disabled")[];
                    /**
                     * @default generic
                     * @enum {string}
                     */
                    format?: "generic" | "slack" | "teams";
                    /** Format: uri */
                    url?: string;
                    /** @description Only runs of this workflow. */
                    workflow?: string;
                };
            };
        };
        responses: {
            /** @description The subscription. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdAt: string;
                        createdBy: string;
                        disabledAt: string | null;
                        disabledReason: string | null;
                        enabled: boolean;
                        events: string[];
                        failingSince: string | null;
                        /** @enum {string} */
                        format: "generic" | "slack" | "teams";
                        name: string;
                        previousSecretUntil: string | null;
                        target: string;
                        updatedAt: string;
                        workflow: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteWebhookOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWebhookOutDeliveries: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                state?: "waiting" | "delivered" | "failed";
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            attempts: number;
                            createdAt: string;
                            error: string | null;
                            event: string;
                            history: {
                                at: string;
                                error: string | null;
                                latencyMs: number;
                                status: number | null;
                            }[];
                            id: string;
                            latencyMs: number | null;
                            nextAt: string | null;
                            payload: {
                                [key: string]: components["schemas"]["Json"];
                            };
                            replays: number;
                            settledAt: string | null;
                            /** @enum {string} */
                            state: "waiting" | "delivered" | "failed";
                            status: number | null;
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWebhookOutDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deliveryId: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        attempts: number;
                        createdAt: string;
                        error: string | null;
                        event: string;
                        history: {
                            at: string;
                            error: string | null;
                            latencyMs: number;
                            status: number | null;
                        }[];
                        id: string;
                        latencyMs: number | null;
                        nextAt: string | null;
                        payload: {
                            [key: string]: components["schemas"]["Json"];
                        };
                        replays: number;
                        settledAt: string | null;
                        /** @enum {string} */
                        state: "waiting" | "delivered" | "failed";
                        status: number | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replayWebhookOutDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deliveryId: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery, waiting. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        attempts: number;
                        createdAt: string;
                        error: string | null;
                        event: string;
                        history: {
                            at: string;
                            error: string | null;
                            latencyMs: number;
                            status: number | null;
                        }[];
                        id: string;
                        latencyMs: number | null;
                        nextAt: string | null;
                        payload: {
                            [key: string]: components["schemas"]["Json"];
                        };
                        replays: number;
                        settledAt: string | null;
                        /** @enum {string} */
                        state: "waiting" | "delivered" | "failed";
                        status: number | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replayWebhookOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: date-time
                     * @description Failed deliveries made at this time or later.
                     */
                    since: string;
                };
            };
        };
        responses: {
            /** @description How many wait now. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        replayed: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateWebhookOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description How long the old secret is good beside the new one.
                     * @default 86400
                     */
                    graceSeconds?: number;
                };
            };
        };
        responses: {
            /** @description The subscription and its new secret. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        createdAt: string;
                        createdBy: string;
                        disabledAt: string | null;
                        disabledReason: string | null;
                        enabled: boolean;
                        events: string[];
                        failingSince: string | null;
                        /** @enum {string} */
                        format: "generic" | "slack" | "teams";
                        name: string;
                        previousSecretUntil: string | null;
                        secret: string;
                        target: string;
                        updatedAt: string;
                        workflow: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testWebhookOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery, waiting. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        attempts: number;
                        createdAt: string;
                        error: string | null;
                        event: string;
                        history: {
                            at: string;
                            error: string | null;
                            latencyMs: number;
                            status: number | null;
                        }[];
                        id: string;
                        latencyMs: number | null;
                        nextAt: string | null;
                        payload: {
                            [key: string]: components["schemas"]["Json"];
                        };
                        replays: number;
                        settledAt: string | null;
                        /** @enum {string} */
                        state: "waiting" | "delivered" | "failed";
                        status: number | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWorkflows: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every workflow, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["WorkflowSummary"][];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    publishWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
                /** @description When reading: ETag of the version that is at hand. When publishing: `*`, for a name that is new. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Json"];
                "application/yaml": components["schemas"]["Json"];
            };
        };
        responses: {
            /** @description The version. */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowSummary"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWorkflow: {
        parameters: {
            query?: {
                version?: number;
            };
            header?: {
                /** @description When reading: ETag of the version that is at hand. When publishing: `*`, for a name that is new. */
                "If-None-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow; as YAML, the definition alone. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                    "application/yaml": components["schemas"]["WorkflowDefinition"];
                };
            };
            /** @description It is the version that If-None-Match names. */
            304: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
                /** @description When reading: ETag of the version that is at hand. When publishing: `*`, for a name that is new. */
                "If-None-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Json"];
                "application/yaml": components["schemas"]["Json"];
            };
        };
        responses: {
            /** @description The version, a new one unless nothing was changed. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowSummary"];
                };
            };
            /** @description The first version. */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowSummary"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    planWorkflow: {
        parameters: {
            query?: {
                version?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The plan. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowPlan"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWorkflowSharing: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Restriction and shares. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Id of whoever made it; a restriction does not touch them. */
                        creator: string | null;
                        /** @enum {string} */
                        kind: "workflow" | "view";
                        /** @description Name of the workflow, id of the view. */
                        object: string;
                        restricted: boolean;
                        shares: {
                            /**
                             * @description `read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.
                             * @enum {string}
                             */
                            level: "read" | "write" | "admin";
                            /** @description What people call it: an e-mail address, the name of a team. */
                            name: string;
                            /** @description `user:ID`, `team:ID` or `everyone`. */
                            subject: string;
                        }[];
                        version: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putWorkflowSharing: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that was read: refused when it is no longer the newest one. */
                "If-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Only those it is shared with, its creator and administrators reach it; to others it does not exist. */
                    restricted: boolean;
                    shares: {
                        /**
                         * @description `read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.
                         * @enum {string}
                         */
                        level: "read" | "write" | "admin";
                        /** @description `user:` with an id or e-mail address, `team:` with an id or name, or `everyone`. */
                        subject: string;
                    }[];
                };
            };
        };
        responses: {
            /** @description Restriction and shares. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Id of whoever made it; a restriction does not touch them. */
                        creator: string | null;
                        /** @enum {string} */
                        kind: "workflow" | "view";
                        /** @description Name of the workflow, id of the view. */
                        object: string;
                        restricted: boolean;
                        shares: {
                            /**
                             * @description `read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.
                             * @enum {string}
                             */
                            level: "read" | "write" | "admin";
                            /** @description What people call it: an e-mail address, the name of a team. */
                            name: string;
                            /** @description `user:ID`, `team:ID` or `everyone`. */
                            subject: string;
                        }[];
                        version: number;
                    };
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWorkflowVersions: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Versions with the hash of their content. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowVersionPage"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWorkflowVersion: {
        parameters: {
            query?: never;
            header?: {
                /** @description When reading: ETag of the version that is at hand. When publishing: `*`, for a name that is new. */
                "If-None-Match"?: string;
            };
            path: {
                name: string;
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow; as YAML, the definition alone. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                    "application/yaml": components["schemas"]["WorkflowDefinition"];
                };
            };
            /** @description It is the version that If-None-Match names. */
            304: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    validateWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Json"];
                "application/yaml": components["schemas"]["Json"];
            };
        };
        responses: {
            /** @description Every problem, with its place and its fix. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ValidationResult"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
