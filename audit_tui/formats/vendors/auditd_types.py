"""Types of audit records: their kinds, as ``ausearch`` names them, and what each says was done."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

LOGIN_KIND = "user-login"
ACCOUNT_KIND = "user-account"
UNKNOWN_KIND = "unknown"

_KIND_WORDS = {
    LOGIN_KIND: "USER_AUTH USER_ACCT CRED_ACQ CRED_DISP CRED_REFR USER_START USER_END USER_CHAUTHTOK USER_ERR"
    " USER_LOGIN USER_LOGOUT LOGIN",
    "group-change": "GRP_AUTH CHGRP_ID",
    ACCOUNT_KIND: "USER_MGMT ADD_USER DEL_USER ADD_GROUP DEL_GROUP GRP_MGMT GRP_CHAUTHTOK ACCT_LOCK"
    " ACCT_UNLOCK",
    "system-services": "KERNEL SYSTEM_BOOT SYSTEM_SHUTDOWN SYSTEM_RUNLEVEL SERVICE_START SERVICE_STOP",
    "configuration": "USYS_CONFIG CONFIG_CHANGE NETFILTER_CFG FEATURE_CHANGE TIME_INJOFFSET TIME_ADJNTPVAL"
    " USER_DEVICE SOFTWARE_UPDATE",
    "dac-decision": "SECCOMP",
    "user-space": "TEST TRUSTED_APP USER_CMD CHUSER_ID",
    "TTY": "TTY USER_TTY",
    "audit-daemon": "EVENT_LISTENER",
    "mac-decision": "AVC USER_AVC AVC_PATH SELINUX_ERR USER_SELINUX_ERR APPARMOR_ALLOWED APPARMOR_DENIED"
    " APPARMOR_ERROR",
    "integrity": "ANOM_RBAC_INTEGRITY_FAIL",
    "mac": "APPARMOR APPARMOR_AUDIT APPARMOR_HINT APPARMOR_STATUS USER_ROLE_CHANGE ROLE_ASSIGN ROLE_REMOVE"
    " LABEL_OVERRIDE LABEL_LEVEL_CHANGE USER_LABELED_EXPORT USER_UNLABELED_EXPORT DEV_ALLOC DEV_DEALLOC"
    " FS_RELABEL USER_MAC_POLICY_LOAD ROLE_MODIFY USER_MAC_CONFIG_CHANGE USER_MAC_STATUS",
    "audit-rule": "SYSCALL PATH IPC SOCKETCALL SOCKADDR CWD EXECVE IPC_SET_PERM MQ_OPEN MQ_SENDRECV MQ_NOTIFY"
    " MQ_GETSETATTR FD_PAIR OBJ_PID BPRM_FCAPS CAPSET MMAP NETFILTER_PKT PROCTITLE KERN_MODULE",
    "av-decision": "FANOTIFY",
    "bpf-program": "BPF",
}
_KINDS = {name: kind for kind, names in _KIND_WORDS.items() for name in names.split()}
_KIND_PREFIXES = (
    ("DAEMON_", "audit-daemon"), ("MAC_", "mac"), ("ANOM_", "anomaly"), ("RESP_", "anomaly-response"),
    ("INTEGRITY_", "integrity"), ("CRYPTO_", "crypto"), ("VIRT_", "virtual-machine"),
)  # fmt: skip
_AUXILIARY_WORDS = """
PATH IPC SOCKETCALL SOCKADDR CWD EXECVE IPC_SET_PERM MQ_OPEN MQ_SENDRECV MQ_NOTIFY MQ_GETSETATTR KERNEL_OTHER
FD_PAIR OBJ_PID BPRM_FCAPS CAPSET MMAP PROCTITLE KERN_MODULE OPENAT2 AVC_PATH
"""
AUXILIARY = frozenset(_AUXILIARY_WORDS.split())
"""Records that only add to another record of their event, which says what happened."""
_NUMBERS = {
    "1006": "LOGIN", "1300": "SYSCALL", "1302": "PATH", "1305": "CONFIG_CHANGE", "1306": "SOCKADDR",
    "1307": "CWD", "1309": "EXECVE", "1317": "FD_PAIR", "1318": "OBJ_PID", "1319": "TTY", "1320": "EOE",
    "1321": "BPRM_FCAPS", "1322": "CAPSET", "1323": "MMAP", "1324": "NETFILTER_PKT", "1325": "NETFILTER_CFG",
    "1326": "SECCOMP", "1327": "PROCTITLE", "1328": "FEATURE_CHANGE", "1329": "REPLACE",
    "1330": "KERN_MODULE",
    "1331": "FANOTIFY", "1332": "TIME_INJOFFSET", "1333": "TIME_ADJNTPVAL", "1334": "BPF",
    "1335": "EVENT_LISTENER", "1336": "URINGOP", "1337": "OPENAT2", "1400": "AVC", "1401": "SELINUX_ERR",
    "1403": "MAC_POLICY_LOAD", "1404": "MAC_STATUS", "1405": "MAC_CONFIG_CHANGE", "1415": "MAC_IPSEC_EVENT",
    "1700": "ANOM_PROMISCUOUS", "1701": "ANOM_ABEND", "1702": "ANOM_LINK", "2000": "KERNEL",
}  # fmt: skip


def type_name(name: str) -> str:
    """The type of a record; older tools and the kernel's own log write numbers for some of them.

    ``UNKNOWN[1323]`` and ``1323`` are MMAP; what is not known stays as it is.
    """
    if name.startswith("UNKNOWN["):
        return _NUMBERS.get(name[8:-1], name)
    return _NUMBERS.get(name, name or "UNKNOWN")


@lru_cache(maxsize=1_024)
def kind_of(name: str) -> str:
    """The kind of event that a record of this type tells."""
    kind = _KINDS.get(name)
    if kind is not None:
        return kind
    for prefix, kind in _KIND_PREFIXES:
        if name.startswith(prefix):
            return kind
    return UNKNOWN_KIND


class Deed(NamedTuple):
    """What was done, for a sentence."""

    past: str
    plain: str
    """The same after "to"."""
    fields: str = ""
    """Which fields name what it was done to, the best first; empty when nothing does."""
    joint: str = ""
    """What stands before that name."""


DEEDS = {
    "LOGIN": Deed("began a login session", "begin a login session", "AUID auid new-auid", "as"),
    "USER": Deed("sent a message to the audit log", "send a message to the audit log"),
    "USER_AUTH": Deed("authenticated", "authenticate", "acct ID id", "as"),
    "USER_ACCT": Deed("was authorized", "be authorized", "acct ID id", "as"),
    "USER_MGMT": Deed("changed", "change", "acct ID id", "account"),
    "CRED_ACQ": Deed("acquired credentials", "acquire credentials", "acct ID id", "as"),
    "CRED_DISP": Deed("gave up credentials", "give up credentials", "acct ID id", "as"),
    "CRED_REFR": Deed("refreshed credentials", "refresh credentials", "acct ID id", "as"),
    "USER_START": Deed("started a session", "start a session", "acct ID id", "as"),
    "USER_END": Deed("ended a session", "end a session", "acct ID id", "as"),
    "USER_CHAUTHTOK": Deed("changed", "change", "acct ID id", "the password of"),
    "USER_LOGIN": Deed("logged in", "log in", "acct ID id", "as"),
    "USER_LOGOUT": Deed("logged out", "log out", "acct ID id", "as"),
    "USER_CMD": Deed("ran", "run", "cmd"),
    "USER_ROLE_CHANGE": Deed("changed role", "change role", "selected-context", "to"),
    "ROLE_ASSIGN": Deed("assigned", "assign", "acct ID id", "a role to"),
    "ROLE_REMOVE": Deed("removed", "remove", "acct ID id", "a role from"),
    "USYS_CONFIG": Deed("changed the system's configuration", "change the system's configuration"),
    "ADD_USER": Deed("added", "add", "acct ID id", "user account"),
    "DEL_USER": Deed("deleted", "delete", "acct ID id", "user account"),
    "ADD_GROUP": Deed("added", "add", "grp acct ID id", "group"),
    "DEL_GROUP": Deed("deleted", "delete", "grp acct ID id", "group"),
    "GRP_MGMT": Deed("changed", "change", "grp acct ID id", "group"),
    "GRP_CHAUTHTOK": Deed("changed", "change", "grp acct ID id", "the password of group"),
    "GRP_AUTH": Deed("authenticated", "authenticate", "grp acct ID id", "to group"),
    "CHGRP_ID": Deed("changed", "change", "grp acct ID id", "to group"),
    "CHUSER_ID": Deed("changed", "change", "acct ID id", "to user"),
    "ACCT_LOCK": Deed("locked", "lock", "acct ID id", "account"),
    "ACCT_UNLOCK": Deed("unlocked", "unlock", "acct ID id", "account"),
    "USER_DEVICE": Deed("configured", "configure", "device", "device"),
    "SOFTWARE_UPDATE": Deed("installed", "install", "sw", "software"),
    "SYSTEM_BOOT": Deed("booted the system", "boot the system"),
    "SYSTEM_SHUTDOWN": Deed("shut the system down", "shut the system down"),
    "SYSTEM_RUNLEVEL": Deed("changed", "change", "new-level", "to runlevel"),
    "SERVICE_START": Deed("started", "start", "unit", "service"),
    "SERVICE_STOP": Deed("stopped", "stop", "unit", "service"),
    "DAEMON_START": Deed("started the audit daemon", "start the audit daemon"),
    "DAEMON_END": Deed("stopped the audit daemon", "stop the audit daemon"),
    "DAEMON_ABORT": Deed("aborted the audit daemon", "abort the audit daemon"),
    "DAEMON_CONFIG": Deed(
        "changed the audit daemon's configuration", "change the audit daemon's configuration"
    ),
    "DAEMON_RECONFIG": Deed("reconfigured the audit daemon", "reconfigure the audit daemon"),
    "DAEMON_ROTATE": Deed("rotated the audit logs", "rotate the audit logs"),
    "DAEMON_RESUME": Deed("resumed audit logging", "resume audit logging"),
    "DAEMON_ACCEPT": Deed(
        "accepted a remote audit connection", "accept a remote audit connection", "addr", "from"
    ),
    "DAEMON_CLOSE": Deed(
        "closed a remote audit connection", "close a remote audit connection", "addr", "from"
    ),
    "DAEMON_ERR": Deed("met an error of the audit daemon", "meet an error of the audit daemon"),
    "FEATURE_CHANGE": Deed("changed", "change", "feature", "audit feature"),
    "NETFILTER_CFG": Deed("changed the firewall", "change the firewall", "table", "table"),
    "KERNEL": Deed("initialized the audit system", "initialize the audit system"),
    "SECCOMP": Deed("made a system call that seccomp controls", "make a system call that seccomp controls"),
    "ANOM_PROMISCUOUS": Deed("changed the promiscuous mode", "change the promiscuous mode", "dev", "of"),
    "ANOM_ABEND": Deed("crashed", "crash", "exe comm", "program"),
    "ANOM_LINK": Deed("followed a suspicious link", "follow a suspicious link", "name"),
    "ANOM_CREAT": Deed("created a suspicious file", "create a suspicious file", "name"),
    "ANOM_LOGIN_FAILURES": Deed("failed too often to log in", "log in", "acct ID id", "as"),
    "MAC_POLICY_LOAD": Deed("loaded the SELinux policy", "load the SELinux policy"),
    "MAC_STATUS": Deed("changed SELinux enforcement", "change SELinux enforcement", "enforcing", "to"),
    "MAC_CONFIG_CHANGE": Deed("changed", "change", "bool", "SELinux boolean"),
    "MAC_IPSEC_EVENT": Deed("changed IPsec", "change IPsec", "op", "with"),
    "CRYPTO_KEY_USER": Deed("handled a cryptographic key", "handle a cryptographic key", "fp"),
    "CRYPTO_SESSION": Deed("started an encrypted session", "start an encrypted session", "addr", "with"),
    "VIRT_CONTROL": Deed("controlled", "control", "vm", "virtual machine"),
    "VIRT_RESOURCE": Deed("assigned a resource", "assign a resource", "vm", "to virtual machine"),
    "VIRT_MACHINE_ID": Deed("assigned an id", "assign an id", "vm", "to virtual machine"),
    "BPF": Deed("loaded or unloaded a BPF program", "load or unload a BPF program", "prog-id", "number"),
    "EVENT_LISTENER": Deed("listened to audit events", "listen to audit events"),
    "TIME_INJOFFSET": Deed("changed the clock", "change the clock", "sec", "by seconds:"),
    "TIME_ADJNTPVAL": Deed("adjusted the clock", "adjust the clock", "op", "with"),
    "REPLACE": Deed("replaced the audit daemon", "replace the audit daemon"),
    "UNKNOWN": Deed("caused a record without a type", "cause a record without a type"),
}

_SYSCALL_DEEDS = {
    (
        "opened",
        "open",
        "file",
    ): "open openat openat2 creat open_by_handle_at readlink readlinkat truncate ftruncate"
    " fallocate truncate64 ftruncate64",
    ("checked", "check", "file"): "access faccessat faccessat2 stat fstat lstat stat64 lstat64 fstat64 statx"
    " newfstatat fstatat64 statfs fstatfs",
    ("changed the permissions of", "change the permissions of", "file"): "chmod fchmod fchmodat fchmodat2",
    ("changed the owner of", "change the owner of", "file"): "chown fchown fchownat lchown chown32 lchown32"
    " fchown32",
    (
        "changed the attributes of",
        "change the attributes of",
        "file",
    ): "setxattr fsetxattr lsetxattr removexattr fremovexattr lremovexattr",
    ("changed the times of", "change the times of", "file"): "utime utimes futimesat utimensat",
    ("created directory", "create directory", "file"): "mkdir mkdirat",
    ("made device", "make device", "file"): "mknod mknodat",
    ("deleted", "delete", "file"): "unlink unlinkat rmdir",
    ("renamed", "rename", "file"): "rename renameat renameat2",
    ("linked", "link", "file"): "link linkat symlink symlinkat",
    ("mounted", "mount", "file"): "mount fsmount move_mount",
    ("unmounted", "unmount", "file"): "umount umount2",
    ("loaded kernel module", "load kernel module", "module"): "init_module finit_module",
    ("unloaded kernel module", "unload kernel module", "module"): "delete_module",
    ("ran", "run", "command"): "execve execveat",
    ("accepted a connection from", "accept a connection from", "socket"): "accept accept4",
    ("bound a socket to", "bind a socket to", "socket"): "bind",
    ("connected to", "connect to", "socket"): "connect",
    ("received from", "receive from", "socket"): "recvfrom recvmsg",
    ("sent to", "send to", "socket"): "sendto sendmsg",
    ("sent a signal to", "send a signal to", "process"): "kill tkill tgkill",
    ("traced", "trace", "process"): "ptrace",
    ("changed their user id", "change their user id", ""): "setuid setreuid setresuid setfsuid",
    ("changed their group id", "change their group id", ""): "setgid setregid setresgid setfsgid",
    ("changed the system time", "change the system time", ""): "settimeofday clock_settime stime adjtimex"
    " clock_adjtime",
    ("changed the host name", "change the host name", ""): "sethostname setdomainname",
    ("rebooted the system", "reboot the system", ""): "reboot",
}
SYSCALL_DEEDS = {name: deed for deed, names in _SYSCALL_DEEDS.items() for name in names.split()}
"""What a system call does, in the past and after "to", and what kind of thing it does that to."""
