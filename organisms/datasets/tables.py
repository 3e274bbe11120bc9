"""Reading published tables: Feather, Parquet, CSV. Ids are 64-bit whole numbers that never pass a float."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.connectome_tables import ConnectomeError
from ...registry import nearest

Ints = NDArray[np.int64]
ROWS = 1 << 20  # rows of a CSV or Parquet table read at a time


def pyarrow() -> Any:
    """The pyarrow module with what is used of it.

    Raises:
        ModuleNotFoundError: it is not installed, with what installs it.
    """
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.ipc
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "Feather and Parquet tables need pyarrow, which is not installed: pip install 'animat[fly]'"
        ) from None
    return pyarrow


def feather(path: Path, columns: Sequence[str], others: Sequence[str] = ()) -> Any:
    """Columns of a Feather file as an Arrow table; those of `others` only where the file has them.

    Raises:
        ConnectomeError: the file is missing or no Feather file, or a column is missing.
    """
    with _feather(path) as file:
        _need(path, columns, file.schema.names)
        return file.read_all().select([*columns, *(name for name in others if name in file.schema.names)])


def feather_integers(path: Path, columns: Sequence[str]) -> Iterator[tuple[Ints, ...]]:
    """Columns of whole numbers of a Feather file, batch by batch; ids written as text become numbers exactly.

    Raises:
        ConnectomeError: as `feather`, or a column holds other things than whole numbers.
    """
    with _feather(path) as file:
        _need(path, columns, file.schema.names)
        wanted = [file.schema.get_field_index(name) for name in columns]
    with _feather(path, wanted) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            yield tuple(integers(batch.column(name), path, name) for name in columns)


def parquet_integers(path: Path, columns: Sequence[str]) -> Iterator[tuple[Ints, ...]]:
    """Columns of whole numbers of a Parquet file, batch by batch.

    Raises:
        ConnectomeError: as `feather_integers`.
    """
    arrow = pyarrow()
    with _reading(path, "a Parquet file"), arrow.parquet.ParquetFile(path) as file:
        _need(path, columns, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=ROWS, columns=list(columns)):
            yield tuple(integers(batch.column(name), path, name) for name in columns)


def csv_text(path: Path | IO[bytes], columns: Sequence[str], ids: Sequence[str], name: str = "") -> pd.DataFrame:
    """Columns of a CSV file as text, "" where empty, and those of `ids` as 64-bit numbers.

    Raises:
        ConnectomeError: the file is missing, or is not this table.
    """
    types = {column: "str" for column in columns} | {column: "int64" for column in ids}
    with _reading(name or path, "a CSV table with these columns"):
        table: pd.DataFrame = pd.read_csv(path, usecols=[*types], dtype=types, keep_default_na=False)
    return table[[*ids, *columns]]


def csv_header(path: Path) -> list[str]:
    """Names of the columns of a CSV file; pandas calls one without a name "Unnamed: 0".

    Raises:
        ConnectomeError: as `csv_text`.
    """
    with _reading(path, "a CSV table"):
        return [str(name) for name in pd.read_csv(path, nrows=0).columns]


def csv_integers(path: Path | IO[bytes], columns: Sequence[str], name: str = "") -> Iterator[tuple[Ints, ...]]:
    """Columns of whole numbers of a CSV file, some rows at a time.

    Raises:
        ConnectomeError: as `csv_text`.
    """
    with _reading(name or path, "a CSV table of whole numbers with these columns"):
        with pd.read_csv(path, dtype="int64", chunksize=ROWS, usecols=list(columns)) as parts:
            for part in parts:
                yield tuple(part[column].to_numpy(dtype=np.int64) for column in columns)


def edge_list(path: Path) -> Iterator[tuple[Ints, ...]]:
    """A text file of "pre post weight" lines, weights written as whole decimal numbers ("9.0").

    Raises:
        ConnectomeError: the file is missing, or a line is something else.
    """
    types = {"pre": "int64", "post": "int64", "weight": "float64"}
    with _reading(path, "a list of edges (pre post weight)"):
        with pd.read_csv(path, sep=" ", names=[*types], dtype=types, chunksize=ROWS) as parts:
            for part in parts:
                weight = part["weight"].to_numpy()
                if (weight != np.rint(weight)).any():
                    raise ConnectomeError(f"{path}: a weight is {weight[weight != np.rint(weight)][0]}, not whole")
                yield part["pre"].to_numpy(), part["post"].to_numpy(), weight.astype(np.int64)


@contextmanager
def tar_member(path: Path, member: str) -> Iterator[IO[bytes]]:
    """A file of a tar archive, by its name without folders.

    Raises:
        ConnectomeError: the archive is missing or damaged, or holds no such file.
    """
    with _reading(path, "a tar archive"), tarfile.open(path) as archive:
        found = next((entry for entry in archive if entry.isfile() and Path(entry.name).name == member), None)
        file = archive.extractfile(found) if found else None
        if file is None:
            raise ConnectomeError(f"{path}: holds no file {member!r}")
        yield file


def integers(column: Any, path: Path, name: str) -> Ints:
    """An Arrow column as 64-bit whole numbers; text is read digit by digit.

    Raises:
        ConnectomeError: it holds something else, or nothing in a row.
    """
    arrow = pyarrow()
    kind = column.type
    if not (arrow.types.is_integer(kind) or arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
        raise ConnectomeError(f"{path}, column {name!r}: must hold whole numbers, or ids as text; it holds {kind}")
    if column.null_count:
        raise ConnectomeError(f"{path}, column {name!r}: {column.null_count} rows are empty")
    try:
        return np.asarray(column.cast(arrow.int64()), dtype=np.int64)
    except arrow.ArrowInvalid as error:
        raise ConnectomeError(f"{path}, column {name!r}: must hold whole numbers: {error}") from None


def text(column: Any) -> pd.Series:
    """An Arrow column as text, "" where it is empty."""
    values: pd.Series = column.cast("string").to_pandas()
    return values.astype("str").fillna("").str.strip()


@contextmanager
def _feather(path: Path, fields: list[int] | None = None) -> Iterator[Any]:
    arrow = pyarrow()
    options = arrow.ipc.IpcReadOptions(included_fields=fields) if fields else None
    with _reading(path, "a Feather file"), arrow.OSFile(str(path)) as source:
        with arrow.ipc.open_file(source, options=options) as file:
            yield file


@contextmanager
def _reading(path: object, what: str) -> Iterator[None]:
    """Turn what goes wrong while reading into an error that names the file."""
    try:
        yield
    except ConnectomeError:
        raise
    except FileNotFoundError:
        raise ConnectomeError(f"{path}: no such file") from None
    except (ValueError, EOFError, OSError, tarfile.TarError) as error:
        raise ConnectomeError(f"{path}: is not {what}: {error}") from None


def _need(path: Path, columns: Sequence[str], there: Sequence[str]) -> None:
    for column in columns:
        if column not in there:
            raise ConnectomeError(f"{path}: has no column {column!r}; {nearest(column, there)}")
