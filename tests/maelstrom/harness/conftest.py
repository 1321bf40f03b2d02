"""What these tests share with tests/integration: child processes, waiting, the executable."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "integration"))
