"""The dissertation: feature matching, FM-CGAN, CVAE-GAN and IP-GAN."""
