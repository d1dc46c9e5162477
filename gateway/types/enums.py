"""Codes as enums; the values are the services' own words, so that a row needs no translation."""

from __future__ import annotations

from enum import StrEnum

from gateway.types.fields import coded


@coded
class AdminUnitType(StrEnum):
    """What a unit is by law; an attribute with validity, never part of its key."""

    PROVINCE = "province"
    MUNICIPALITY = "municipality"
    COMMUNE = "commune"
    WARD = "ward"
    SPECIAL_ZONE = "special_zone"


@coded
class OfficeLevel(StrEnum):
    """Where an office stands: in the commune, above it, beside it."""

    COMMUNE = "commune"
    PROVINCE = "province"
    CENTRAL = "central"
    PARTY = "party"
    SCHOOL = "school"
    COMMUNITY = "community"
    ENTERPRISE = "enterprise"
    MARKET = "market"
    OTHER = "other"


@coded
class PlanStatus(StrEnum):
    """The life of a plan; each step after draft is a stated act."""

    DRAFT = "draft"
    ISSUED = "issued"
    AMENDED = "amended"
    CLOSED = "closed"


@coded
class Pillar(StrEnum):
    """The ten pillars of the plans."""

    LEADERSHIP_INSTITUTIONS = "leadership_institutions"
    DIGITAL_INFRASTRUCTURE = "digital_infrastructure"
    HUMAN_RESOURCES = "human_resources"
    DIGITAL_DATA = "digital_data"
    DIGITAL_GOVERNMENT = "digital_government"
    DIGITAL_ECONOMY = "digital_economy"
    DIGITAL_SOCIETY = "digital_society"
    CYBERSECURITY = "cybersecurity"
    AWARENESS = "awareness"
    SCIENCE_INNOVATION = "science_innovation"


@coded
class ExecutionTimeKind(StrEnum):
    """The form in which a document words a time; ongoing is «thường xuyên»."""

    YEAR = "year"
    YEAR_RANGE = "year_range"
    QUARTER = "quarter"
    QUARTER_RANGE = "quarter_range"
    MONTH = "month"
    DATE = "date"
    ONGOING = "ongoing"


@coded
class LeadBasis(StrEnum):
    """Where the lead offices of a task are named."""

    EXPLICIT = "explicit"
    ORGANISATION = "organisation"
    ANNEX = "annex"
    NONE = "none"


@coded
class LeadRole(StrEnum):
    """What a document asks of the lead offices where it is less than to lead."""

    COORDINATING = "coordinating"
    REQUESTED = "requested"


@coded
class BasisRelation(StrEnum):
    """How a document is cited."""

    BASIS = "basis"
    IMPLEMENTS = "implements"
    PROPOSAL = "proposal"
    MENTIONED = "mentioned"


@coded
class IssuerLevel(StrEnum):
    """Who issued a cited document."""

    CENTRAL = "central"
    PROVINCE = "province"
    COMMUNE = "commune"


@coded
class ReportingCycle(StrEnum):
    """How often a reporting duty falls due; periodic_unspecified: «định kỳ» without a period."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    ANNUAL = "annual"
    ADHOC = "adhoc"
    ONCE = "once"
    PERIODIC_UNSPECIFIED = "periodic_unspecified"


@coded
class SystemBoundary(StrEnum):
    """Whose system it is."""

    EXTERNAL = "external"
    TO_CONNECT = "to_connect"
    OWN = "own"
    CHANNEL = "channel"


@coded
class SystemConnection(StrEnum):
    """Whether data flow to a system today."""

    NONE = "none"
    PLANNED = "planned"
    LIVE = "live"


@coded
class AnnexPresence(StrEnum):
    """Whether an annex that a plan names is in the file we have."""

    PRESENT = "present"
    PARTIAL = "partial"
    ABSENT = "absent"


@coded
class Comparator(StrEnum):
    """How a figure is held against a value; gt («trên») is not gte («tối thiểu»)."""

    GTE = "gte"
    GT = "gt"
    EQ = "eq"
    LTE = "lte"
    LT = "lt"
    TOP_N = "top_n"
    BY_DATE = "by_date"
    QUALITATIVE = "qualitative"


@coded
class ValueType(StrEnum):
    """The kind of figure an indicator or a target has."""

    PERCENT = "percent"
    INDEX = "index"
    COUNT = "count"
    LEVEL = "level"
    RANK = "rank"
    AMOUNT = "amount"
    MILESTONE = "milestone"
    TEXT = "text"


@coded
class RankingMethod(StrEnum):
    """Which figure of a ranking comes first."""

    HIGHEST_FIRST = "highest_first"
    LOWEST_FIRST = "lowest_first"
    EARLIEST_FIRST = "earliest_first"


@coded
class Direction(StrEnum):
    """Which way is better; boolean indicators are met or not met."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"
    BOOLEAN = "boolean"


@coded
class Aggregation(StrEnum):
    """How communes' figures become one figure of a province."""

    WEIGHTED_MEAN = "weighted_mean"
    MEAN = "mean"
    SUM = "sum"
    MIN = "min"
    SHARE_OF_COMMUNES_MET = "share_of_communes_met"
    NONE = "none"


@coded
class Accumulation(StrEnum):
    """Whether a figure counts from the start of the year or for its period alone."""

    CUMULATIVE = "cumulative"
    IN_PERIOD = "in_period"
    UNKNOWN = "unknown"


@coded
class DerivedFrom(StrEnum):
    """Where an indicator's figure comes from; one posted for a derived indicator is a claim."""

    POSTED = "posted"
    BUDGET = "budget"
    REPORTS = "reports"
    SCORE = "score"


@coded
class Trajectory(StrEnum):
    """What is expected before the due day: nothing, the whole at any time, a straight line."""

    NONE = "none"
    STANDING = "standing"
    LINEAR = "linear"


@coded
class DataStatus(StrEnum):
    """How firm a figure is, in the words of the Statistics Law: ước tính, sơ bộ, chính thức."""

    ESTIMATED = "estimated"
    PRELIMINARY = "preliminary"
    OFFICIAL = "official"


@coded
class Achievement(StrEnum):
    """The verdict on a target on a day."""

    EXCEEDED = "exceeded"
    MET = "met"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    NOT_MET = "not_met"
    NO_DATA = "no_data"
    NOT_MEASURABLE = "not_measurable"


@coded
class NoData(StrEnum):
    """Why there is no figure: none is owed yet, one is owed now, it is late, no day was stated."""

    NOT_DUE = "not_due"
    DUE = "due"
    LATE = "late"
    NO_DATED_DUTY = "no_dated_duty"


@coded
class PeriodType(StrEnum):
    """The kinds of reporting periods."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    NINE_MONTHS = "nine_months"
    YEAR = "year"


@coded
class ExpenditureKind(StrEnum):
    """What money is by the state budget's words: chi thường xuyên, đầu tư công, dự phòng."""

    RECURRENT = "recurrent"
    INVESTMENT = "investment"
    RESERVE = "reserve"


@coded
class BudgetStage(StrEnum):
    """Where money stands; what a plan states is an estimate (kinh phí dự kiến)."""

    ESTIMATED = "estimated"


@coded
class BudgetDimension(StrEnum):
    """What a total of money is broken down by."""

    EXPENDITURE_KIND = "expenditure_kind"
    PILLAR = "pillar"
    OFFICE = "office"
    FUNDING_SOURCE = "funding_source"


@coded
class BudgetScope(StrEnum):
    """Whether each plan has its own totals, or all plans of a province and year are added up."""

    PLAN = "plan"
    PROVINCE = "province"


@coded
class CheckVerdict(StrEnum):
    """How one of a plan's own money rules stands."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_MEASURABLE = "not_measurable"
    QUALITATIVE = "qualitative"
    NO_BUDGET = "no_budget"


@coded
class ServiceName(StrEnum):
    """The services behind the gateway."""

    PLANS = "plans"
    INDICATORS = "indicators"
    BUDGET = "budget"


@coded
class PostAction(StrEnum):
    """What a posted row does: sets a figure, or withdraws a wrong one (with a reason, kept in history)."""

    SET = "set"
    WITHDRAW = "withdraw"


@coded
class PostMode(StrEnum):
    """atomic: one refused row and nothing is written; partial: good rows are written."""

    ATOMIC = "atomic"
    PARTIAL = "partial"


@coded
class OnStale(StrEnum):
    """What happens to a row older than what is stored: it is refused, or passed over."""

    REFUSE = "refuse"
    SKIP = "skip"
