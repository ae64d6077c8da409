"""The targets, against real files, a real dnsmasq and a real Traefik."""
