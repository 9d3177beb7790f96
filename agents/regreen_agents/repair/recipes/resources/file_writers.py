"""The functions that generated fixtures call to write files of formats with a structure."""

from collections.abc import Mapping

HELPERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "_write_zip": (
        ("zipfile",),
        (
            "def _write_zip(path, members):",
            '    with zipfile.ZipFile(str(path), "w") as archive:',
            "        for name in members:",
            '            archive.writestr(zipfile.ZipInfo(name), name + "\\n")',
        ),
    ),
    "_write_tar": (
        ("io", "tarfile"),
        (
            "def _write_tar(path, mode, members):",
            "    with tarfile.open(str(path), mode) as archive:",
            "        for name in members:",
            '            content = (name + "\\n").encode()',
            "            entry = tarfile.TarInfo(name)",
            "            entry.size = len(content)",
            "            archive.addfile(entry, io.BytesIO(content))",
        ),
    ),
    "_write_csv": (
        ("csv",),
        (
            "def _write_csv(path, rows, delimiter):",
            '    with path.open("w", newline="", encoding="utf-8") as file:',
            "        csv.writer(file, delimiter=delimiter).writerows(rows)",
        ),
    ),
    "_write_sqlite": (
        ("sqlite3",),
        (
            "def _write_sqlite(path, script):",
            "    connection = sqlite3.connect(str(path))",
            "    connection.executescript(script)",
            "    connection.close()",
        ),
    ),
    "_write_png": (
        ("random", "struct", "zlib"),
        (
            "def _write_png(path, width, height):",
            "    pixels = random.Random(0)",
            "    row_bytes = 3 * width",
            "    rows = [bytes(pixels.choices(range(256), k=row_bytes)) for _ in range(height)]",
            '    data = zlib.compress(b"".join(b"\\0" + row for row in rows))',
            '    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)',
            '    content = b"\\x89PNG\\r\\n\\x1a\\n"',
            '    for kind, body in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")):',
            '        content += struct.pack(">I", len(body)) + kind + body',
            '        content += struct.pack(">I", zlib.crc32(kind + body))',
            "    path.write_bytes(content)",
        ),
    ),
    "_write_bmp": (
        ("random", "struct"),
        (
            "def _write_bmp(path, width, height):",
            "    size = (3 * width + 3) // 4 * 4 * height",
            '    header = b"BM" + struct.pack("<IHHI", 54 + size, 0, 0, 54)',
            '    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, size, 0, 0, 0, 0)',  # noqa: E501 - a line of generated code
            "    pixels = bytes(random.Random(0).choices(range(256), k=size))",
            "    path.write_bytes(header + pixels)",
        ),
    ),
    "_write_wav": (
        ("random", "wave"),
        (
            "def _write_wav(path, channels, width, rate, frames):",
            '    with wave.open(str(path), "wb") as sound:',
            "        sound.setnchannels(channels)",
            "        sound.setsampwidth(width)",
            "        sound.setframerate(rate)",
            "        count = channels * width * frames",
            "        sound.writeframes(bytes(random.Random(0).choices(range(256), k=count)))",
        ),
    ),
}
"""Functions that a fixture calls: the modules each needs, and its lines."""
