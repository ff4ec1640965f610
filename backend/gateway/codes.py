"""Paragraphs for `cellship explain CODE`: endpoints, and the supervisor."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "request.not-json": (
        "The body is not JSON",
        "An endpoint takes one JSON object in UTF-8, whatever the Content-Type says. The message "
        "names the line and column where reading stopped. NaN and Infinity are not JSON; neither "
        "is anything nested deeper than 200 levels. `GET /NAME/-/example` answers a body that "
        "works.",
    ),
    "request.invalid": (
        "The body is JSON, and not what the entry takes",
        "The body was compared with the type hints of the entry. Each of the `details` names a "
        "place as a JSON pointer and what was wanted there; `missing` is an argument without a "
        "default that was not sent, `not known` one that the entry does not have. "
        "`GET /NAME/-/openapi.json` describes the whole input.",
    ),
    "request.too-large": (
        "The body is larger than the gateway takes",
        "Bodies go to 100 MiB. The request was refused before it was read whole, and nothing of "
        "it reached a worker. Send less at once, in several calls.",
    ),
    "request.head-too-large": (
        "The request line and headers are larger than the gateway takes",
        "They go to 64 KiB together. Large cookies or tokens of other services on the same host "
        "are the usual reason; an endpoint needs none of them.",
    ),
    "request.too-slow": (
        "The request did not arrive in time",
        "A request has 30 seconds to arrive whole, body included. The connection was closed, and "
        "nothing reached a worker. Where the way to this machine is slow, send less at once.",
    ),
    "request.malformed": (
        "What arrived is not an HTTP/1.1 request",
        "The parser says in the message what is wrong. Two lengths, or a length and chunks, are "
        "refused because two readers could understand them differently. The connection is "
        "closed after such a request, since nobody knows where the next one begins.",
    ),
    "request.method": (
        "This address is used with another HTTP method",
        "An entry is called with POST; the pages below `/NAME/-/` are read with GET. The header "
        "`Allow` of the answer names what works.",
    ),
    "request.host": (
        "The Host header names somebody else",
        "The gateway answers only to the names it was configured with, `127.0.0.1` and "
        "`localhost` with its port. A web page whose name was pointed at this machine carries "
        "its own name in that header, and is refused here.",
    ),
    "request.cross-site": (
        "The request came from a page of another site",
        "Browsers say with `Origin` and `Sec-Fetch-Site` which page sent a request. A page that "
        "is open in a browser on this machine could otherwise call every endpoint on it. Call "
        "from a program, or have your own server call.",
    ),
    "request.upgrade": (
        "Another protocol was asked for",
        "The gateway speaks HTTP/1.1: no WebSocket, no HTTP/2 by upgrade, no tunnel by CONNECT. "
        "Send the request without the `Upgrade` header.",
    ),
    "request.encoding": (
        "The body is compressed",
        "A body is taken as it is, without `Content-Encoding`: what a small compressed body "
        "unpacks to is known only when it is too late. Send the JSON itself.",
    ),
    "request.expectation": (
        "The Expect header asks for something unknown",
        "Only `Expect: 100-continue` has a meaning. Leave the header out.",
    ),
    "request.query": (
        "The address has arguments behind a question mark",
        "Arguments of an entry are taken from the JSON body alone; in the address they would be "
        'ignored, so the request is refused instead. Send `{"x": 1}` in place of `?x=1`.',
    ),
    "access.token": (
        "The deployment wants a token",
        "Its access is `token`, and caller keys do not exist yet in this version of Cellship, so "
        "nobody is let in. On this machine a deployment can be open: `access: open`.",
    ),
    "deployment.unknown": (
        "No deployment has this name",
        "The first part of the path is the name of a deployment. The hint lists names that are "
        "near, or those that exist. `cellship deployments` lists them all.",
    ),
    "version.unknown": (
        "This version does not answer",
        "`/NAME@7` asks for one version, whatever the traffic is. The version may never have "
        "existed, may not have started, or may have been stopped since: `cellship versions NAME` "
        "says which.",
    ),
    "version.no-schema": (
        "The description of a version cannot be read",
        "Each version has a `schema.json` that says what its entry takes. This one is missing or "
        "damaged on this machine; `run/gateway.log` in the data folder names the file. Deploy "
        "again, or roll back to a version that works.",
    ),
    "method.unknown": (
        "The entry has no such method",
        "The second part of the path is a method of the entry. The hint lists the methods; an "
        "entry that is a plain function has none and is called by its name alone.",
    ),
    "path.unknown": (
        "Nothing is at this path",
        "Paths are `/NAME`, `/NAME@7`, `/NAME/METHOD` and the pages `/NAME/-/example`, "
        "`/NAME/-/openapi.json` and `/NAME/-/health`.",
    ),
    "page.unknown": (
        "There is no such page",
        "The pages of a deployment are `/NAME/-/example`, `/NAME/-/openapi.json` and "
        "`/NAME/-/health`.",
    ),
    "page.not-yet": (
        "This page does not exist yet",
        "A page on which a person can try an entry is planned. Until then "
        "`GET /NAME/-/example` answers a body that can be sent with curl.",
    ),
    "example.none": (
        "No example was recorded",
        "The example is the first call of the entry in its cell whose arguments can be written "
        "as JSON. Add such a call to the cell and deploy again.",
    ),
    "deployment.paused": (
        "The deployment was paused",
        "Somebody stopped it with `cellship pause`; the message says who and when. Its versions "
        "are kept. `cellship resume NAME` lets it answer again.",
    ),
    "replica.none": (
        "No replica answers",
        "The version has no process that could take the call: it runs with no replicas, or its "
        "last replica ended and the next one is starting. `cellship versions NAME` shows the "
        "state, `cellship logs NAME` why a replica ended.",
    ),
    "replica.died": (
        "The worker died while it had the call",
        "The process that worked on this call ended: it crashed, ran out of memory, or was "
        "killed. The call is not repeated, since it may have had effects already. "
        "`cellship logs NAME` shows the last lines of the worker. A new replica is started.",
    ),
    "queue.full": (
        "Too many calls wait",
        "128 calls of a deployment may wait while its replicas are busy; this one came on top. "
        "Nothing of it reached a worker, so it can be sent again: `Retry-After` says when. More "
        "replicas, or a higher concurrency, serve more calls at once.",
    ),
    "call.timeout": (
        "The entry did not answer in time",
        "The time counts from the moment at which the worker was given the call. It may still "
        "be working on it; a replica whose call does not end is replaced. `cellship logs NAME` "
        "shows what it printed for this request.",
    ),
    "call.failed": (
        "The call failed",
        "The worker reported a failure without saying more. `cellship logs NAME` shows what it "
        "printed for this request.",
    ),
    "gateway.full": (
        "Too much is open at once",
        "The gateway holds some thousand connections and 1 GiB of request bodies at once. Close "
        "connections that are not used, send several requests over one, and send fewer large "
        "bodies at the same time.",
    ),
    "gateway.fault": (
        "The gateway itself failed",
        "This is a defect of Cellship. The traceback is in `run/gateway.log` of the data folder; "
        "the endpoint goes on answering other requests.",
    ),
    "port.taken": (
        "Another program listens on the port of the endpoints",
        "The addresses of deployments never change, so the gateway's port is chosen once per "
        "data folder and is not replaced by another. The message names the program where the "
        "system lets us see it. Stop it, then run `cellship up` again.",
    ),
    "supervisor.running": (
        "The service runs already",
        "One supervisor runs per data folder and holds a lock on it for as long as it lives. "
        "`cellship status` shows the service that runs, `cellship down` ends it.",
    ),
    "sockets.folder": (
        "There is no private folder for sockets",
        "The processes of the service talk over Unix sockets in a short folder that belongs to "
        "you alone, below `$XDG_RUNTIME_DIR` or the folder for temporary files. None of these "
        "could be used: the path was too long, or somebody else owns the folder. Set "
        "`XDG_RUNTIME_DIR` to a short folder of your own.",
    ),
}
