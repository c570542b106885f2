"""The formats that come as files of data, by their names."""

from __future__ import annotations

from audit_tui.formats.vendor import vendor_format

AUTH0 = vendor_format("auth0")[1]
AZURE = vendor_format("azure")[1]
ECS = vendor_format("ecs")[1]
ENTRA = vendor_format("entra")[1]
GITHUB = vendor_format("github")[1]
GITLAB = vendor_format("gitlab")[1]
M365 = vendor_format("m365")[1]
OCSF = vendor_format("ocsf")[1]
OKTA = vendor_format("okta")[1]
TELEPORT = vendor_format("teleport")[1]
WORKSPACE = vendor_format("workspace")[1]
