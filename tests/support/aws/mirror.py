"""PyIceberg's way to the mirrored buckets. A module of its own: it is named by its path, and a job's script is
`__main__` while it runs."""

from pathlib import Path
from urllib.parse import urlsplit

from pyiceberg.io import InputFile, OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO

ROOT = "mirror.root"


class MirrorIO(PyArrowFileIO):
    """`s3://bucket/key` as a file below the mirror."""

    def new_input(self, location: str) -> InputFile:
        """The file of `location`."""
        return super().new_input(self._path(location))

    def new_output(self, location: str) -> OutputFile:
        """The file to be of `location`."""
        path = self._path(location)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return super().new_output(path)

    def delete(self, location: "str | InputFile | OutputFile") -> None:
        """Remove the file of `location`."""
        super().delete(self._path(location if isinstance(location, str) else location.location))

    def _path(self, location: str) -> str:
        address = urlsplit(location)
        return f"{self.properties[ROOT]}/{address.netloc}{address.path}" if address.netloc else location
