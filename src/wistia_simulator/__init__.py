"""A faithful fake of Wistia's Stats and Data API, with known truth."""

from wistia_simulator.clock import TickingClock, VirtualClock
from wistia_simulator.faults import Always, Chance, During, Fault, FaultInjector, FaultKind, FaultPlan, Nth
from wistia_simulator.http.app import create_app
from wistia_simulator.http.options import ServerOptions
from wistia_simulator.profile import MediaChange, Profile
from wistia_simulator.replay import create_replay_app
from wistia_simulator.transport import transport
from wistia_simulator.truth import TrueMedia, TrueSession, TrueVisitor, Truth
from wistia_simulator.world import World

__all__ = [
    "Always",
    "Chance",
    "During",
    "Fault",
    "FaultInjector",
    "FaultKind",
    "FaultPlan",
    "MediaChange",
    "Nth",
    "Profile",
    "ServerOptions",
    "TickingClock",
    "TrueMedia",
    "TrueSession",
    "TrueVisitor",
    "Truth",
    "VirtualClock",
    "World",
    "create_app",
    "create_replay_app",
    "transport",
]
