"""Money: what a dossier owes, how it is paid through the gateway, and whether dossier, gateway and bank agree."""
