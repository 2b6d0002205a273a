"""The five source systems: how each keeps a customer and publishes what changes."""

from connectors.simulated.systems.billing import BillingRecord
from connectors.simulated.systems.crm import CrmRecord
from connectors.simulated.systems.orders import OrdersRecord
from connectors.simulated.systems.partner import PartnerRecord
from connectors.simulated.systems.selfcare import SelfcareRecord

__all__ = ["BillingRecord", "CrmRecord", "OrdersRecord", "PartnerRecord", "SelfcareRecord"]
