"""A server on this machine that speaks Gemini's wire protocol: answers, streams, refusals and faults.

It is written from the API's documentation, not from the plugin: what it refuses, Gemini refuses.
"""

from __future__ import annotations

import base64
import json
import os
import re
import struct
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gemini_speech import RATE, Said, spoken

REAL_KEY = os.environ.get("GEMINI_API_KEY", "")
"""The user's own, read before tests hide it; for `test_live.py` alone."""
KEY = "AIzaTHIS-is-a-key-that-must-never-be-shown-42"
NAMES = (
    "Zephyr Puck Charon Kore Fenrir Leda Orus Aoede Callirrhoe Autonoe Enceladus Iapetus Umbriel Algieba "
    "Despina Erinome Algenib Rasalgethi Laomedeia Achernar Alnilam Schedar Gacrux Pulcherrima Achird "
    "Zubenelgenubi Vindemiatrix Sadachbia Sadaltager Sulafat"
)
VOICES = set(NAMES.lower().split())
SAMPLING = ("temperature", "topP", "topK", "top_p", "top_k")
PATH = re.compile(r"/(v1|v1beta)/models/([^:/?]+):(generateContent|streamGenerateContent)(?:\?alt=sse)?")


def verbatim_dialect(model: str) -> bool:
    """Whether the model reads all of its text: those from 3.8 on."""
    return tuple(map(int, re.findall(r"\d+", model)[:2])) >= (3, 8)


class Refused(Exception):
    """What the server answers with another status than 200."""

    def __init__(self, code: int, status: str, message: str, details: list[Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"error": {"code": code, "message": message, "status": status, "details": details or []}}


def of(held: Any, camel: str, default: Any = None) -> Any:
    """Return a field by its camel-case or snake-case name: the server takes both."""
    snake = re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), camel)
    assert camel == snake or not (camel in held and snake in held), f"{camel} is there twice"
    return held.get(camel, held.get(snake, default))


class Loopback:
    """The server. `faults` are taken by the requests in order; without one a request is answered well.

    Attributes:
        seen: (path, headers, body) of every request.
        faults: what goes wrong with the requests to come.
        loudness: factors of the answers to come; 1 where there is none left.
        rate, mime: of raw answers.
        events: events of streams that were sent.
        events_s: how much audio an event of a stream holds, and `pause_s` how long it waits after each.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.faults: deque[str] = deque()
        self.loudness: deque[float] = deque()
        self.rate = RATE
        self.mime = "audio/L16;codec=pcm;rate={rate}"
        self.events_s, self.pause_s = 0.1001, 0.0
        self.active = self.most_active = self.events = 0
        self.lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # a client that went away is no error here
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, _, body in self.seen]

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for the client's delayed ACK
            wbufsize = -1

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                with server.lock:
                    server.active += 1
                    server.most_active = max(server.most_active, server.active)
                try:
                    Answer(server, self).give()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with server.lock:
                        server.active -= 1

        return Handler


class Answer:
    """The answer to one request."""

    def __init__(self, server: Loopback, http: BaseHTTPRequestHandler) -> None:
        self.server, self.http = server, http
        body = json.loads(http.rfile.read(int(http.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in http.headers.items()}
        with server.lock:
            server.seen.append((http.path, headers, body))
            self.fault = server.faults.popleft() if server.faults else "ok"
            self.gain = server.loudness.popleft() if server.loudness else 1.0
        self.body, self.headers = body, headers

    def give(self) -> None:
        try:
            self._check_status_fault()
            match = PATH.fullmatch(self.http.path)
            if not match:
                raise Refused(404, "NOT_FOUND", f"no such path: {self.http.path}")
            if self.headers.get("x-goog-api-key") != KEY:
                raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
            _, model, method = match.groups()
            said = understood(self.body, model)
            streamed = method == "streamGenerateContent"
            if streamed and "-2.5-" in model:
                raise Refused(400, "INVALID_ARGUMENT", "This model does not stream audio.")
        except Refused as error:
            self._send(error.code, json.dumps(error.body).encode())
            return
        if streamed:
            self._stream(said)
        else:
            self._unary(said, model)

    def _check_status_fault(self) -> None:
        name, _, argument = self.fault.partition(":")
        if name == "429":
            retry = {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": f"{argument or 0.01}s",
            }
            raise Refused(429, "RESOURCE_EXHAUSTED", "Too many requests.", [retry])
        if name == "429-per-day":
            quota = {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
            }
            raise Refused(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [quota])
        if name == "400-key":
            reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            raise Refused(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}", [reason])
        status = {"500": "INTERNAL", "503": "UNAVAILABLE", "400": "INVALID_ARGUMENT", "404": "NOT_FOUND"}
        if name in status:
            raise Refused(int(name), status[name], f"Fault {name}, key {KEY}, asked for.")

    def _unary(self, said: Said, model: str) -> None:
        name, _, argument = self.fault.partition(":")
        pcm = spoken(said, self.gain if name != "silent" else 0.0, self.server.rate)
        part = self._audio(pcm, wav=verbatim_dialect(model) or name == "wav")
        if name == "502":
            self._send(502, b"<html><h1>Bad Gateway</h1></html>", "text/html")
        elif name == "truncated-json":
            self._send(200, json.dumps(answer([part], "STOP")).encode()[:-40])
        elif name == "cut":
            self._send(200, json.dumps(answer([part], "STOP")).encode(), keep=100)
        elif name == "empty":
            self._send(200, b"")
        elif name == "slow":
            time.sleep(float(argument))
            self._send(200, json.dumps(answer([part], "STOP")).encode())
        else:
            self._send(200, json.dumps(self._document(name, argument, part, pcm)).encode())

    def _document(self, name: str, argument: str, part: Any, pcm: bytes) -> dict[str, Any]:
        if name == "no-candidates":
            return {"usageMetadata": {"promptTokenCount": 7}}
        if name == "blocked":
            return {"promptFeedback": {"blockReason": argument or "PROHIBITED_CONTENT"}}
        if name == "finish":
            return {"candidates": [{"finishReason": argument}], "usageMetadata": {"promptTokenCount": 7}}
        if name == "partial":
            return answer([self._audio(pcm[: len(pcm) // 4 * 2], wav=False)], argument)
        if name == "text":
            return answer([{"text": "I would rather write."}], "STOP")
        if name == "bad-base64":
            return answer([{"inlineData": {"mimeType": "audio/wav", "data": "!!!!"}}], "STOP")
        if name == "mp3":
            data = base64.b64encode(b"ID3\x04" + bytes(100)).decode()
            return answer([{"inlineData": {"mimeType": "audio/mpeg", "data": data}}], "STOP")
        assert name in ("ok", "silent", "wav"), f"unknown fault {name}"
        return answer([part], "STOP", tokens=(len(json.dumps(self.body)) // 4, len(pcm) // 2 * 25 // RATE))

    def _audio(self, pcm: bytes, *, wav: bool) -> dict[str, Any]:
        if wav:
            head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, 1, 1,
                               self.server.rate, self.server.rate * 2, 2, 16, b"data", len(pcm))  # fmt: skip
            return {"inlineData": {"mimeType": "audio/wav", "data": base64.b64encode(head + pcm).decode()}}
        mime = self.server.mime.format(rate=self.server.rate)
        return {"inlineData": {"mimeType": mime, "data": base64.b64encode(pcm).decode()}}

    def _stream(self, said: Said) -> None:
        """Send the audio in events whose borders fall inside samples, as HTTP chunks."""
        pcm = spoken(said, 0.0 if self.fault == "stream-silent" else self.gain, self.server.rate)
        size = int(self.server.events_s * self.server.rate * 2) | 1  # odd: samples are cut in two
        events: list[dict[str, Any] | None] = [
            answer([self._audio(pcm[i : i + size], wav=False)], None) for i in range(0, len(pcm), size)
        ]
        tokens = len(pcm) // 2 * 25 // RATE
        name, _, argument = self.fault.partition(":")
        finish: dict[str, Any] | None = answer(
            [], argument if name == "stream-finish" else "STOP", (20, tokens)
        )
        if name == "stream-finish":
            events = events[: len(events) // 2]
        if name == "stream-text":
            events = [answer([{"text": "Hm."}], None)]
        if name == "stream-nothing":
            events = []
        if name == "stream-blocked":
            events, finish = [], {"promptFeedback": {"blockReason": "SAFETY"}}
        if name == "stream-endless":
            finish = None
        http = self.http
        http.send_response(200)
        http.send_header("Content-Type", "text/event-stream")
        http.send_header("Transfer-Encoding", "chunked")
        http.end_headers()
        for i, event in enumerate([*events, finish]):
            if name == "stream-cut" and i == int(argument or 0):
                http.wfile.flush()
                http.close_connection = True
                http.connection.close()
                return
            if event is not None:
                data = b"data: " + json.dumps(event).encode() + b"\r\n\r\n"
                self.server.events += 1
                http.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                http.wfile.flush()
                time.sleep(self.server.pause_s)
        http.wfile.write(b"0\r\n\r\n")

    def _send(
        self, code: int, body: bytes, kind: str = "application/json", *, keep: int | None = None
    ) -> None:
        self.http.send_response(code)
        self.http.send_header("Content-Type", kind)
        self.http.send_header("Content-Length", str(len(body)))
        self.http.end_headers()
        self.http.wfile.write(body[:keep])
        self.http.close_connection = keep is not None


def answer(parts: list[Any], finish: str | None, tokens: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1], "totalTokenCount": sum(tokens)}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "loopback"}


def understood(body: dict[str, Any], model: str) -> Said:
    """Return what is to be said by whom, or refuse as Gemini does."""
    if "tts" not in model:
        raise Refused(404, "NOT_FOUND", f"models/{model} is not found")
    config = of(body, "generationConfig", {})
    if of(config, "responseModalities") != ["AUDIO"]:
        raise Refused(400, "INVALID_ARGUMENT", "The requested combination of response modalities is wrong.")
    if verbatim_dialect(model) and any(name in config for name in SAMPLING):
        raise Refused(400, "INVALID_ARGUMENT", "Sampling parameters are not supported.")
    cast = voices(of(config, "speechConfig", {}), model)
    parts = [part for content in body["contents"] for part in content["parts"]]
    turns = verbatim(parts, cast) if verbatim_dialect(model) else prompted(parts, cast)
    if not any(text.strip() for _, _, text in turns):
        raise Refused(400, "INVALID_ARGUMENT", "There is no text.")
    return turns


def voices(speech: dict[str, Any], model: str) -> dict[str, str]:
    """Return speaker to voice; the one speaker of a monologue is called ''."""
    one, several = of(speech, "voiceConfig"), of(speech, "multiSpeakerVoiceConfig")
    if one is not None and several is not None:
        raise Refused(400, "INVALID_ARGUMENT", "voice_config and multi_speaker_voice_config are exclusive.")
    if several is None:
        return {"": voice(one or {}, model)}
    held = of(several, "speakerVoiceConfigs", [])
    if len(held) != 2:
        raise Refused(400, "INVALID_ARGUMENT", "Exactly two speaker voice configs must be provided.")
    return {entry["speaker"]: voice(of(entry, "voiceConfig"), model) for entry in held}


def voice(config: dict[str, Any], model: str) -> str:
    name = config.get("voice") if verbatim_dialect(model) else None
    if name is None:
        name = of(of(config, "prebuiltVoiceConfig", {}), "voiceName", "")
    if name.lower() not in VOICES and not name.startswith("ext_"):
        raise Refused(400, "INVALID_ARGUMENT", f"Voice name {name} is not supported.")
    return str(name)


def verbatim(parts: list[Any], cast: dict[str, str]) -> Said:
    turns = []
    for part in parts:
        metadata = of(part, "speechMetadata", {})
        speaker = metadata.get("speaker", "")
        if speaker not in cast:
            raise Refused(400, "INVALID_ARGUMENT", f"Unknown speaker {speaker!r}.")
        turns.append((cast[speaker], metadata.get("style", ""), part["text"]))
    return turns


def prompted(parts: list[Any], cast: dict[str, str]) -> Said:
    if len(parts) != 1 or of(parts[0], "speechMetadata"):
        raise Refused(400, "INVALID_ARGUMENT", "Speech metadata is not supported by this model.")
    prompt, label, transcript = parts[0]["text"].partition("#### TRANSCRIPT\n")
    assert label, "no transcript"
    if "" in cast:
        return [(cast[""], prompt, transcript)]
    turns = []
    for line in transcript.splitlines():
        speaker, colon, text = line.partition(": ")
        assert colon, line
        assert speaker in cast, line
        turns.append((cast[speaker], prompt, text))
    return turns
