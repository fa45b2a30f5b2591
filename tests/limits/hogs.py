"""The hogs: what they eat, what they are given, and what is true of them. Sizes are in decimal megabytes, as hog.c reads them."""
from dataclasses import dataclass, field

LIVED = "lived through the peak"
IMAGE = "rca/hog:1"


@dataclass(frozen=True)
class Hog:
    name: str
    about: str
    limit: str
    # The phases of hog.c.
    script: str
    # The most that it really uses, in bytes; of a leak what it uses is a matter of time, of a share one of the limit.
    peak: int = 0
    command: tuple = ("/hog",)
    # What the right answer is: `raise`, `leak`, `heap` (the flag, not the limit), `well` (nothing at all).
    answer: str = "raise"
    # Bytes that a leak gains in a second.
    slope: int = 0
    container: dict = field(default_factory=dict)
    pod: dict = field(default_factory=dict)


def mega(number):
    return int(number * 1e6)


def steady(size, percent, limit):
    script = f"grow {size}M 2; sleep 4; say {LIVED}"
    return Hog(f"steady-{size}-{percent}", f"{size} MB under {percent} %", limit, script, mega(size))


SIDE_CAR = {"name": "proxy", "image": IMAGE, "command": ["/hog"], "env": [{"name": "HOG", "value": "grow 30M 1"}],
            "resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}}}
IN_MEMORY = {"volumes": [{"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "100Mi"}}]}
ON_DISK = {"volumes": [{"name": "scratch", "emptyDir": {}}]}
MOUNT = {"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}

HOGS = [
    steady(40, 10, "4Mi"),
    steady(40, 40, "16Mi"),
    steady(80, 10, "8Mi"),
    steady(80, 30, "24Mi"),
    steady(300, 10, "30Mi"),
    steady(300, 60, "180Mi"),
    Hog("slow-start", "120 MB after 25 s, under 40 %", "48Mi", f"grow 120M 25; sleep 3; say {LIVED}", mega(120)),
    Hog("spike", "20 MB, 100 MB every 30 s, under 50 %", "50Mi",
        f"grow 20M 1; sleep 28; grow 80M 1; sleep 1; shrink; say {LIVED}; repeat", mega(100)),
    Hog("workers", "`gunicorn -w 4`, 60 MB each, PID 1 lives", "128Mi", "serve 60M 2", mega(4 * 60),
        ("/gunicorn", "-w", "4", "app:app")),
    Hog("pool", "the same, and who is killed is not replaced", "128Mi", "pool 60M 2", mega(4 * 60),
        ("/gunicorn", "-w", "4", "app:app")),
    Hog("child", "a child of 90 MB, PID 1 lives and says nothing", "48Mi", "child 90M 2", mega(90)),
    Hog("heap-above", "heap of 160 MiB and 40 MB beside it", "96Mi", f"heap 40M 4; sleep 4; say {LIVED}",
        160 * 2**20 + mega(40), ("/java", "-Xmx160m", "-jar", "app.jar")),
    Hog("heap-below", "heap of 48 MiB and 60 MB beside it", "80Mi", f"heap 60M 4; sleep 4; say {LIVED}",
        48 * 2**20 + mega(60), ("/java", "-Xmx48m", "-jar", "app.jar")),
    Hog("heap-share", "heap of 95 % and 40 MB beside it", "176Mi", f"heap 40M 4; sleep 4; say {LIVED}",
        command=("/java", "-XX:MaxRAMPercentage=95", "-jar", "app.jar"), answer="heap"),
    Hog("leak", "20 MB, and 1 MB more each second", "96Mi", "grow 20M 1; leak 1M", answer="leak", slope=mega(1)),
    Hog("in-memory", "80 MB of files in memory, and 20 MB", "64Mi",
        f"grow 20M 1; file /scratch/a 80M 3; sleep 4; say {LIVED}", mega(100), container=MOUNT, pod=IN_MEMORY),
    Hog("side-car", "90 MB under 50 %, a well side-car", "43Mi", f"grow 90M 3; sleep 4; say {LIVED}", mega(90),
        pod={"containers": [SIDE_CAR]}),
    Hog("page-cache", "10 MB, page cache fills the limit", "64Mi",
        f"grow 10M 1; file /scratch/a 150M 5; read /scratch/a 20; say {LIVED}; read /scratch/a 3600", mega(10),
        answer="well", container=MOUNT, pod=ON_DISK),
    Hog("well", "40 MB under 96Mi", "96Mi", f"grow 40M 1; sleep 3; say {LIVED}", mega(40), answer="well"),
]


def deployment(hog):
    amount = {"memory": hog.limit}
    container = {"name": "main", "image": IMAGE, "command": list(hog.command),
                 "env": [{"name": "HOG", "value": hog.script}],
                 "resources": {"limits": amount, "requests": amount}} | hog.container
    pod = dict(hog.pod, terminationGracePeriodSeconds=0)
    pod["containers"] = [container, *hog.pod.get("containers", [])]
    labels = {"app": hog.name}
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": hog.name}, "spec": spec}
